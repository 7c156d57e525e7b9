using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>A device under test and the CPU: the same calls on both must give the same numbers.</summary>
internal sealed class Twin : IDisposable
{
    private readonly CpuDevice _cpu = new(1);

    internal Twin(Device device)
    {
        Device = (GpuDevice)device;
    }

    internal GpuDevice Device { get; }

    /// <summary>Runs a body on both devices and compares every tensor it returns, relative to the largest value of each. Nothing may leak.</summary>
    internal void Check(double tolerance, Func<Bench, Tensor[]> body)
    {
        float[][] expected = Run(_cpu, body), actual = Run(Device, body);
        for (int tensor = 0; tensor < expected.Length; tensor++)
        {
            double largest = expected[tensor].Select(Math.Abs).Where(float.IsFinite).DefaultIfEmpty(0).Max() + 1e-20;
            for (int i = 0; i < expected[tensor].Length; i++)
            {
                float e = expected[tensor][i], a = actual[tensor][i];
                Assert.True(
                    e.Equals(a) || Math.Abs(e - a) <= tolerance * largest, $"output {tensor}, element {i} of {expected[tensor].Length}: CPU {e}, "
                        + $"{Device.Name} {a}, largest {largest}");
            }
        }
    }

    public void Dispose()
    {
        Device.Dispose();
        _cpu.Dispose();
    }

    private static float[][] Run(Device device, Func<Bench, Tensor[]> body)
    {
        long before = device.Pool.LiveBlocks, scratch = 0;
        using (var bench = new Bench(device))
        {
            var tensors = body(bench);
            float[][] values = [.. tensors.Select(t => t.DType switch
            {
                DType.Int32 => [.. t.ToArray<int>().Select(v => (float)v)],
                DType.UInt8 => [.. t.ToArray<byte>().Select(v => (float)v)],
                _ => t.ToArray(),
            })];
            bench.Dispose();
            scratch = KernelSet.For(device).Launcher?.HeldBlocks ?? 0;
            Assert.Equal(before + scratch - bench.ScratchBefore, device.Pool.LiveBlocks);
            return values;
        }
    }
}

/// <summary>Makes a test's tensors on one device, the same on every device, and frees them at the end.</summary>
internal sealed class Bench(Device device) : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private ulong _stream;

    internal long ScratchBefore { get; } = KernelSet.For(device).Launcher?.HeldBlocks ?? 0;

    internal KernelSet Kernels { get; } = KernelSet.For(device);

    internal Device Device { get; } = device;

    /// <summary>Normal numbers times a factor.</summary>
    internal Tensor Normal(Shape shape, double factor = 1)
    {
        var random = new CounterRandom(77, _stream++);
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(factor * random.NextNormal());
        }

        return Keep(Device.FromHost(values, shape));
    }

    /// <summary>Whole numbers below a bound.</summary>
    internal Tensor Integers(Shape shape, int bound)
    {
        var random = new CounterRandom(78, _stream++);
        var values = new int[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextInt(bound);
        }

        return Keep(Device.FromHost(values, shape));
    }

    /// <summary>A tensor to be overwritten: filled with a number that no result has.</summary>
    internal Tensor Output(params ReadOnlySpan<int> sizes)
    {
        var shape = new Shape(sizes);
        var values = new float[shape.Count];
        Array.Fill(values, 12345f);
        return Keep(Device.FromHost(values, shape));
    }

    /// <summary>Given values.</summary>
    internal Tensor Scalars(params float[] values) => Keep(Device.FromHost(values, new Shape(values.Length)));

    internal Tensor Keep(Tensor tensor)
    {
        _tensors.Add(tensor);
        return tensor;
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors)
        {
            tensor.Dispose();
        }

        _tensors.Clear();
    }
}
