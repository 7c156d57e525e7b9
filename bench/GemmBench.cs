using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Bench;

/// <summary>Matrix products at the shapes of ViT-B/16 with 1025 tokens.</summary>
internal static class GemmBench
{
    // W: x W^T with a frozen weight, which is kept in panels; w: its backward, dy W.
    private static readonly (int M, int N, int K, string Kind)[] Shapes =
    [
        (1025, 768, 768, "W"), (1025, 2304, 768, "W"), (1025, 3072, 768, "W"), (1025, 768, 3072, "W"),
        (197, 768, 768, "W"), (197, 2304, 768, "W"), (197, 3072, 768, "W"), (197, 768, 3072, "W"),
        (1025, 768, 3072, "w"), (1025, 768, 768, "w"),
        (1025, 768, 768, "NT"), (1025, 768, 3072, "NN"), (768, 768, 1025, "TN"), (197, 768, 768, "NT"),
    ];

    internal static Command Create()
    {
        Option<string> threads = CommandParts.Threads(0), rounds = BenchParts.Rounds(5);
        var command = new VerbCommand(
            "gemm",
            "Matrix products of ViT-B/16's shapes on the CPU, GFLOP/s.",
            "dotnet run -c Release --project bench -- gemm --threads 1") { threads, rounds };
        command.SetAction(result => Run(OptionValue.Threads(result, threads), BenchParts.Rounds(result, rounds)));
        return command;
    }

    private static int Run(int threads, int rounds)
    {
        using var device = new CpuDevice(threads);
        Console.WriteLine($"{device.ThreadCount} threads, {Ldvc.Kernels.Simd.SimdLevel.Bits}-bit vectors");
        foreach (var (m, n, k, kind) in Shapes)
        {
            bool ta = kind == "TN", panels = kind is "W" or "w", tb = kind is "W" or "NT";
            using var a = Random(device, ta ? new Shape(k, m) : new Shape(m, k), 1);
            using var b = Random(device, tb ? new Shape(n, k) : new Shape(k, n), 2);
            using var c = device.Empty(new Shape(m, n));
            var gemm = new Gemm(
                m,
                n,
                k,
                a,
                panels && b.KeepInPanels() ? b.Raw : b,
                c)
            { TransposeA = ta, TransposeB = tb, KeptPanels = panels, Lda = ta ? m : k, Ldb = tb ? k : n };
            var (median, best) = Timing.Measure(4 * rounds, 20, () => KernelSet.For(device).MatMul.Run(gemm));
            double work = 2.0 * m * n * k / 1e9;
            Console.WriteLine(
                $"{m,5} x {n,4} x {k,4} {kind,2}  median {median * 1e3,7:F2} ms  {work / median,6:F1} GFLOP/s  best {work / best,6:F1}");
        }

        return 0;
    }

    private static Tensor Random(Device device, Shape shape, ulong seed)
    {
        var random = new CounterRandom(seed);
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextNormal();
        }

        return device.FromHost(values, shape);
    }
}
