using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Bench;

/// <summary>Matrix products at the shapes of ViT-B/16 with 1025 tokens.</summary>
internal static class GemmBench
{
    private static readonly (int M, int N, int K, bool TransposeA, bool TransposeB)[] Shapes =
    [
        (1025, 768, 768, false, true), (1025, 2304, 768, false, true), (1025, 3072, 768, false, true), (1025, 768, 3072, false, true),
        (1025, 768, 3072, false, false), (768, 768, 1025, true, false), (197, 768, 768, false, true),
    ];

    internal static int Run(Options options)
    {
        using var device = new CpuDevice(options.Threads);
        Console.WriteLine($"{device.ThreadCount} threads, {Ldvc.Kernels.Simd.SimdLevel.Bits}-bit vectors");
        foreach (var (m, n, k, ta, tb) in Shapes)
        {
            using var a = Random(device, ta ? new Shape(k, m) : new Shape(m, k), 1);
            using var b = Random(device, tb ? new Shape(n, k) : new Shape(k, n), 2);
            using var c = device.Empty(new Shape(m, n));
            var gemm = new Gemm(m, n, k, a, b, c) { TransposeA = ta, TransposeB = tb, Lda = ta ? m : k, Ldb = tb ? k : n };
            var (median, best) = Timing.Measure(4 * options.Rounds, 20, () => KernelSet.For(device).MatMul.Run(gemm));
            double work = 2.0 * m * n * k / 1e9;
            Console.WriteLine($"{m,5} x {n,4} x {k,4} {(ta ? 'T' : 'N')}{(tb ? 'T' : 'N')}  median {median * 1e3,7:F2} ms  {work / median,6:F1} GFLOP/s  best {work / best,6:F1}");
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
