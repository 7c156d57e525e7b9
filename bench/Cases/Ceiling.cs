using Ldvc.Bench.Compare;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Bench.Cases;

/// <summary>What the device can do at best, measured in the same run.</summary>
/// <param name="Flops">Operations a second: multiply-adds on registers on a CPU, the large product on a GPU.</param>
/// <param name="FlopsSource">Which of the two.</param>
/// <param name="Bytes">Bytes a second of y = a + b over 32 MiB each.</param>
internal readonly record struct Ceiling(double Flops, string FlopsSource, double Bytes)
{
    private const int Count = 8 << 20;
    private const int Side = 1024;

    internal static Ceiling Measure(Device device, CacheFlush flush)
    {
        var kernels = KernelSet.For(device);
        using var a = Values(device, Count);
        using var b = Values(device, Count);
        using var y = device.Empty(new Shape(Count));
        var sum = new CaseTimer("sum", Count, 3.0 * Count, () => (Nothing.Instance, () => kernels.Elementwise.Add(a, b, y, Count))).Time(device, flush, default);
        if (device is CpuDevice cpu)
        {
            return new Ceiling(1e9 * FmaPeak.Measure(cpu.ThreadCount), "multiply-adds on registers", sum.GigabytesPerSecond * 1e9);
        }

        var product = new CaseTimer("product", 2.0 * Side * Side * Side, 3.0 * Side * Side, () => (Nothing.Instance, () => kernels.MatMul.Run(
            new Gemm(Side, Side, Side, a, b, y)))).Time(device, flush, default);
        return new Ceiling(product.Gflops * 1e9, $"the product of {Side} x {Side} matrices", sum.GigabytesPerSecond * 1e9);
    }

    // Never zeros or constants: their products take less power, and clocks show it.
    private static Tensor Values(Device device, int count)
    {
        var random = new Random(1);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return device.FromHost(values, new Shape(count));
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
