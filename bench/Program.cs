using Ldvc.Bench;
using Ldvc.Bench.Cases;
using Ldvc.Bench.Compare;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Bench.Profile;
using Ldvc.Bench.Ptx;
using Ldvc.Bench.Sweep;
using Ldvc.Bench.Tiles;
using Ldvc.Tensors;

try
{
    return args switch
    {
        ["gemm", ..] => GemmBench.Run(Options.Parse(args)),
        ["vit", ..] => VitBench.Run(Options.Parse(args)),
        ["kernels", ..] => KernelsVerb.Run(args.AsSpan(1)),
        ["peers", ..] => PeersVerb.Run(PeerOptions.Parse(args.AsSpan(1))),
        ["step", ..] => StepVerb.Run(args.AsSpan(1)),
        ["sweep", ..] => SweepVerb.Run(args.AsSpan(1)),
        ["peer-worker", var engine, var name, var folder, var threads, var device, var precision] => Worker.Run(engine, name, folder, new WorkDevice(device, int.Parse(threads), Enum.Parse<Precision>(precision, true))),
        ["tiles", ..] => TilesVerb.Run(args.AsSpan(1)),
        ["ptx", ..] => PtxVerb.Run(args.AsSpan(1)),
        _ => Options.Usage(),
    };
}
catch (InputException error)
{
    Console.Error.WriteLine($"bench: {error.Message}");
    return 2;
}
