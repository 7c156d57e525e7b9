using Ldvc.Bench;
using Ldvc.Tensors;

try
{
    return args switch
    {
        ["gemm", ..] => GemmBench.Run(Options.Parse(args)),
        ["vit", ..] => VitBench.Run(Options.Parse(args)),
        _ => Options.Usage(),
    };
}
catch (InputException error)
{
    Console.Error.WriteLine($"bench: {error.Message}");
    return 2;
}
