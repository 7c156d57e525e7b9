using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Tensors;

/// <summary>Memory that runs out in the middle of something: what comes after it finds everything in order.</summary>
public sealed class ScratchFaultTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void AProductAfterOneWithoutScratchMemoryIsRight()
    {
        using Tensor a = Values("a", 40, 30), b = Values("b", 50, 30), large = Values("large", 300, 700), wide = Values("wide", 260, 700);
        float[] expected = Product(a, b);
        int failures = 0;
        for (int refused = 1; refused <= 4; refused++)
        {
            KernelSet.For(_device).Dispose();
            _device.Pool.Trim();

            // Outputs come from the pool: what is refused here is that, then the product's own memory.
            int left = refused;
            CpuMemory.Refuses = _ => --left == 0;
            try
            {
                Product(large, wide);
            }
            catch (Exception e) when (e is OutOfMemoryException or InputException)
            {
                failures++;
            }
            finally
            {
                CpuMemory.Refuses = null;
            }

            Assert.Equal(expected, Product(a, b));
        }

        // The output's block, the packed operand, the tiles' memory.
        Assert.InRange(failures, 2, 3);
    }

    [Fact]
    public void TheArgmaxAfterOneWithoutScratchMemoryIsRight()
    {
        var kernels = KernelSet.For(_device).Segmentation;
        using Tensor canvas = Values("canvas", 3, 40, 50), counts = _device.FromHost([.. Enumerable.Repeat(2f, 2000)], new Shape(40, 50));
        using Tensor small = Values("canvas", 3, 4, 5), smallCounts = _device.FromHost([.. Enumerable.Repeat(2f, 20)], new Shape(4, 5));
        using Tensor labels = _device.Zeros(new Shape(40, 50), DType.UInt8), smallLabels = _device.Zeros(new Shape(4, 5), DType.UInt8);
        void Small() => kernels.Argmax(small, smallCounts, smallLabels, default, 3, 4, 5, 4, 5);
        Small();
        byte[] expected = smallLabels.ToArray<byte>();
        CpuMemory.Refuses = _ => true;
        try
        {
            Assert.Throws<InputException>(() => kernels.Argmax(canvas, counts, labels, default, 3, 40, 50, 40, 50));
        }
        finally
        {
            CpuMemory.Refuses = null;
        }

        Small();
        Assert.Equal(expected, smallLabels.ToArray<byte>());
    }

    public void Dispose() => _device.Dispose();

    private float[] Product(Tensor a, Tensor b)
    {
        using var tape = new Tape(_device, recording: false);
        return tape.MatMulTransposed(tape.Constant(a.Share()), tape.Constant(b.Share()), 1).Value.ToArray();
    }

    private Tensor Values(string name, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return _device.FromHost(CaseRandom.Normal(name, (int)shape.Count), shape);
    }
}
