using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare;

/// <summary>The machine's ceiling: as many multiply-adds as a case has, on registers alone, on all threads.</summary>
internal sealed unsafe class FmaPeak : IWork
{
    private const int Chains = 12;
    private readonly CpuDevice _device;
    private readonly double _flops;

    internal FmaPeak(PeerCase @case, int threads)
        : this(@case.Flops, threads)
    {
    }

    private FmaPeak(double flops, int threads)
    {
        (_device, _flops) = (new CpuDevice(threads), flops);
    }

    /// <summary>Best of several short runs, GFLOP/s.</summary>
    internal static double Measure(int threads)
    {
        using var work = new FmaPeak(2e9, threads);
        var (_, best) = Timing.Measure(20, 10, work.Run);
        return 2 / best;
    }

    public IReadOnlyList<Named> Check() => [];

    public void Run()
    {
        switch (SimdLevel.Bits)
        {
            case 512: Run<Simd512, Vector512<float>>(); break;
            case 256: Run<Simd256, Vector256<float>>(); break;
            default: Run<Simd128, Vector128<float>>(); break;
        }
    }

    public void Dispose() => _device.Dispose();

    private void Run<S, V>()
        where S : ISimd<V>
        where V : struct
    {
        var arguments = new Arguments { Count = (long)(_flops / (2.0 * S.Count * Chains * _device.ThreadCount)) };
        _device.Threads.For(_device.ThreadCount, &arguments, &Body<S, V>);
    }

    private static void Body<S, V>(Arguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        V x = S.Set(0.999f), y = S.Set(1e-3f);
        V c0 = S.Set(1), c1 = S.Set(2), c2 = S.Set(3), c3 = S.Set(4), c4 = S.Set(5), c5 = S.Set(6);
        V c6 = S.Set(7), c7 = S.Set(8), c8 = S.Set(9), c9 = S.Set(10), c10 = S.Set(11), c11 = S.Set(12);
        for (long i = a->Count; i > 0; i--)
        {
            c0 = S.Fma(c0, x, y);
            c1 = S.Fma(c1, x, y);
            c2 = S.Fma(c2, x, y);
            c3 = S.Fma(c3, x, y);
            c4 = S.Fma(c4, x, y);
            c5 = S.Fma(c5, x, y);
            c6 = S.Fma(c6, x, y);
            c7 = S.Fma(c7, x, y);
            c8 = S.Fma(c8, x, y);
            c9 = S.Fma(c9, x, y);
            c10 = S.Fma(c10, x, y);
            c11 = S.Fma(c11, x, y);
        }

        V sum = S.Add(S.Add(S.Add(c0, c1), S.Add(c2, c3)), S.Add(S.Add(c4, c5), S.Add(c6, c7)));
        a->Sink = S.Sum(S.Add(sum, S.Add(S.Add(c8, c9), S.Add(c10, c11))));
    }

    private struct Arguments
    {
        public long Count;
        public float Sink;
    }
}
