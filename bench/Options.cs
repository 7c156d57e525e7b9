using System.Globalization;
using Ldvc.Tensors;

namespace Ldvc.Bench;

/// <summary>The bench's command line: --threads N, --size N, --classes N, --rounds N.</summary>
internal sealed record Options(int Threads, int Size, int Classes, int Rounds)
{
    internal static int Usage()
    {
        Console.Error.WriteLine(
            """
            usage: dotnet run -c Release --project bench -- gemm [--threads N] [--rounds N]
                   dotnet run -c Release --project bench -- vit  [--threads N] [--size 512] [--classes 15] [--rounds N]
                   dotnet run -c Release --project bench -- peers [--filter A,B] [--rounds 7] [--threads 2] [--device cpu|cuda] [--precision P] [--json FILE]
                   dotnet run -c Release --project bench -- kernels [--device D] [--precision P] [--filter TEXT] [--json FILE] [--threads N]
                   dotnet run -c Release --project bench -- tiles [--device cuda] [--precision P] [--filter TEXT] [--json FILE]
                   dotnet run -c Release --project bench -- ptx --out DIR [--filter TEXT]
                   dotnet run -c Release --project bench -- step  [--case step-voc | --config FILE [--set KEY=VALUE]...] [--device D] [--precision P] [--html FILE] [--threads N]
                   dotnet run -c Release --project bench -- sweep [--csv FILE] [--svg FILE] [--threads N]
            gemm: matrix products of ViT-B/16's shapes, GFLOP/s and the machine's own ceiling
            vit:  a random CLIP ViT-B/16: encoder forward, and one LDVC training step (batch 1), time and peak memory
            step: one LDVC training step (step-voc, step-coco) or another case of peers, or one of a configuration, kernel by kernel; --html writes it along a time axis
            sweep: time over tokens, classes, batch and k, against what theory says
            peers: against ONNX Runtime and PyTorch, each in its own process, in turn, with goals; 15 minutes for everything on two cores; --device cuda: against PyTorch on the same card
            kernels: the tests' case list on cpu, cuda[:i], opencl[:i] or simulator: time (by the device's own events on cuda and opencl), GFLOP/s, GB/s, per cent of what the device can do
            tiles: matrix products of a GPU with every tile and cut of their sums, and which the program takes
            ptx:  the CUDA code of every GPU kernel, one .ptx file each, verified for sm_80 and sm_90, and manifest.json; needs no GPU; 1 when the verifier finds something
            """);
        return 2;
    }

    internal static Options Parse(string[] args)
    {
        var values = new Dictionary<string, int> { ["--threads"] = 0, ["--size"] = 512, ["--classes"] = 15, ["--rounds"] = 5 };
        for (int i = 1; i < args.Length; i += 2)
        {
            if (!values.ContainsKey(args[i]) || i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value))
            {
                throw new InputException($"'{args[i]}': expected one of {string.Join(", ", values.Keys)} with a number");
            }

            values[args[i]] = value;
        }

        return new Options(values["--threads"], values["--size"], values["--classes"], Math.Max(1, values["--rounds"]));
    }
}
