// A small GPT. Without arguments it learns a text and writes on; with a reference file it repeats a training run and compares:
// dotnet run -- [--device cpu | opencl | cuda] [--reference FILE]
using Ldvc.Tensors;
using TinyGpt;

string device = "cpu";
string? reference = null;
for (int i = 0; i < args.Length; i += 2)
{
    string? value = i + 1 < args.Length ? args[i + 1] : null;
    switch (args[i])
    {
        case "--device" when value is not null: device = value; break;
        case "--reference" when value is not null: reference = value; break;
        default:
            Console.Error.WriteLine("usage: TinyGpt [--device cpu | opencl | cuda | simulator] [--reference FILE]");
            return 2;
    }
}

try
{
    using var opened = DeviceFactory.Open(device);
    if (reference is not null)
    {
        return ReferenceRun.Compare(opened, reference) ? 0 : 1;
    }

    TextRun.Train(opened);
    return 0;
}
catch (InputException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
