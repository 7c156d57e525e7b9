using Ldvc.Bench.Compare;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Bench.Cases;

/// <summary>What results are put in proportion to, measured in the same run.</summary>
/// <param name="Flops">Operations a second: multiply-adds on registers on a CPU, which is what it can do at best; on a GPU our own large product,
/// which is not.</param>
/// <param name="FlopsSource">Which of the two.</param>
/// <param name="Bytes">Bytes a second of y = a + b over 32 MiB each.</param>
internal readonly record struct Ceiling(double Flops, string FlopsSource, double Bytes)
{
    private const int Count = 8 << 20;

    // A card's multiprocessors need more tiles than OpenCL's CPU runtime computes in reasonable time.
    private const int CardSide = 4096;
    private const int Side = 1024;

    internal static Ceiling Measure(Device device, CacheFlush flush)
    {
        var kernels = KernelSet.For(device);
        using var a = Values(device, Count);
        using var b = Values(device, Count);
        using var y = device.Empty(new Shape(Count));
        var sum = new CaseTimer(
            "sum", Count, 3.0 * Count, () => (Nothing.Instance, () => kernels.Elementwise.Add(a, b, y, Count))).Time(device, flush, default);
        if (device is CpuDevice cpu)
        {
            return new Ceiling(1e9 * FmaPeak.Measure(cpu.ThreadCount), "multiply-adds on registers", sum.GigabytesPerSecond * 1e9);
        }

        // Sums of 1024 in all; in 16 bits the operands must be, or the product takes tf32.
        int side = device is GpuDevice { Kind: GpuKind.Cuda } ? CardSide : Side;
        DType? half = device.Precision.HalfType();
        using var left = half is not null ? Values(device, side * Side, half) : a.Share();
        using var right = half is not null ? Values(device, side * Side, half) : b.Share();
        using var result = device.Empty(new Shape(side, side));
        var product = new CaseTimer(
            "product", 2.0 * side * side * Side, ((2.0 * Side) + side) * side, () => (Nothing.Instance, () => kernels.MatMul.Run(
            new Gemm(side, side, Side, left, right, result)))).Time(device, flush, default);
        return new Ceiling(product.Gflops * 1e9, $"our product of {side} x {Side} and {Side} x {side}", sum.GigabytesPerSecond * 1e9);
    }

    // Never zeros or constants: their products take less power, and clocks show it.
    private static Tensor Values(Device device, int count, DType? half = null)
    {
        var random = new Random(1);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return half is { } type ? device.FromHostRounded(values, new Shape(count), type) : device.FromHost(values, new Shape(count));
    }

    private sealed class Nothing : IDisposable
    {
        internal static readonly Nothing Instance = new();

        /// <inheritdoc/>
        public void Dispose()
        {
            // The tensors belong to the caller.
        }
    }
}
