using ILGPU;
using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Ldvc.Tests.Autograd;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>An outside operation's kernels, on what every GPU test of their class runs on.</summary>
internal static class GpuOperationCheck
{
    internal static void Run(Device device, int rows, int columns, int elements)
    {
        long before = device.Pool.LiveBlocks;
        using (var a = device.FromHost(CaseRandom.Normal("a", rows * columns), new Shape(rows, columns)))
        using (var b = device.FromHost(CaseRandom.Normal("b", columns), new Shape(columns)))
        {
            var checker = new GradientChecker(device) { MaxElements = elements, Step = 0.02 };
            var report = checker.Check((tape, v) => tape.Apply(new OutsideOperation(), v[0], v[1]), ("a", a), ("b", b));
            Assert.True(report.Passed, report.ToString());

            // A slice starts inside a block.
            using var cpu = new CpuDevice(1);
            using var tape = new Tape(device, recording: false);
            using var onCpu = new Tape(cpu, recording: false);
            float[] values = a.ToArray(), gates = b.ToArray();
            var y = tape.Apply(new OutsideOperation(), tape.Constant(a.Slice(1, rows - 1)), tape.Constant(b.Share()));
            var expected = onCpu.Apply(
                new OutsideOperation(),
                onCpu.Constant(cpu.FromHost(values.AsSpan(columns), new Shape(rows - 1, columns))),
                onCpu.Constant(cpu.FromHost(gates, new Shape(columns))));
            Assert.All(y.Value.ToArray().Zip(expected.Value.ToArray()), p => Assert.Equal(p.Second, p.First, 1e-6f));
        }

        Assert.Equal(before, device.Pool.LiveBlocks);
    }
}

[Collection("opencl")]
public class GpuOperationTests(OpenClFixture fixture)
{
    [Fact]
    public void AnOutsideOperationRunsItsOwnKernels() => GpuOperationCheck.Run(fixture.Twin.Device, 37, 5, 12);

    [Fact]
    public void KernelsAreCompiledOnce()
    {
        var gpu = fixture.Twin.Device;
        Assert.Same(gpu.Kernel<Index1D, ArrayView<int>>(Count), gpu.Kernel<Index1D, ArrayView<int>>(Count));
        long launches = gpu.Counters.LaunchCount;
        using var values = gpu.Zeros(new Shape(100), DType.Int32);
        gpu.Kernel<Index1D, ArrayView<int>>(Count)(100, values.AsGpuView<int>());
        gpu.Kernel<Index1D, ArrayView<int>>(Count)(100, values.AsGpuView<int>());
        Assert.Equal(Enumerable.Range(0, 100).Select(i => 2 * i), values.ToArray<int>());
        Assert.Equal(launches + 2, gpu.Counters.LaunchCount);
    }

    [Fact]
    public void WhatIsWrongIsSaid()
    {
        var gpu = fixture.Twin.Device;
        using var values = gpu.Zeros(new Shape(3));
        Assert.Contains(
            "expected a tensor on a cpu, got Float32 [3] on ", Assert.Throws<InvalidOperationException>(() => values.AsSpan<float>()[0]).Message);
        Assert.Contains(
            "a tensor of Float32 cannot be read as Int32", Assert.Throws<InvalidOperationException>(() => values.AsGpuView<int>()).Message);
        int captured = 3;
        var lambda = Assert.Throws<NotSupportedException>(() => gpu.Kernel<Index1D, ArrayView<int>>((i, v) => v[i] = captured));
        Assert.Contains("expected a static method", lambda.Message);
        using var tape = new Tape(gpu, recording: true);
        Assert.StartsWith(
            $"host_only: the operation has no forward for device {gpu.Name}; expected an override of Forward(GpuDevice, ...)",
            Assert.Throws<NotSupportedException>(() => tape.Apply(new HostOnly(), tape.Input(gpu.Zeros(new Shape(1))))).Message);
    }

    // Its own device: a kernel that does not compile spoils the context.
    [Fact]
    public void AKernelThatDoesNotCompileIsNamed()
    {
        _ = fixture.Twin;
        using var device = DeviceFactory.Open(TestedGpu.Instead("opencl"));
        var error = Assert.Throws<NotSupportedException>(() => ((GpuDevice)device).Kernel<Index1D, ArrayView<int>>(Throws));
        Assert.StartsWith("kernel GpuOperationTests.Throws: ILGPU cannot compile it for ", error.Message);
    }

    // What a driver makes of these is its own affair: nothing at all, an error without a name, or memory of somebody else.
    [Fact]
    public void LaunchesThatMakeNoSenseAreRefused()
    {
        var gpu = fixture.Twin.Device;
        using Tensor values = gpu.Zeros(new Shape(3), DType.Int32), square = gpu.Zeros(new Shape(2, 2), DType.Int32);
        var count = gpu.Kernel<Index1D, ArrayView<int>>(Count);
        Assert.Contains(
            "kernel GpuOperationTests.Count: expected an index of sizes of at least 0, got",
            Assert.Throws<ArgumentOutOfRangeException>(() => count(-1, values.AsGpuView<int>())).Message);
        var pairs = gpu.Kernel<Index2D, ArrayView<int>>(CountPairs);
        Assert.Throws<ArgumentOutOfRangeException>(() => pairs(new Index2D(-2, -2), square.AsGpuView<int>()));
        pairs(new Index2D(2, 2), square.AsGpuView<int>());
        Assert.Equal([1, 1, 1, 1], square.ToArray<int>());
        var groups = gpu.GroupKernel<ArrayView<int>>(CountGroups);
        string refused = Assert.Throws<ArgumentOutOfRangeException>(() => groups(default, values.AsGpuView<int>())).Message;
        Assert.Contains("expected groups of at least 1 thread", refused);

        var other = (GpuDevice)DeviceFactory.Open(TestedGpu.Instead("opencl"));
        using var far = other.Zeros(new Shape(3), DType.Int32);
        var launch = other.Kernel<Index1D, ArrayView<int>>(Count);
        var view = far.AsGpuView<int>();
        string said = $"kernel GpuOperationTests.Count: expected views of tensors on this device, {gpu.Name}, got one of another device";
        Assert.Equal(said, Assert.Throws<ArgumentException>(() => count(3, view)).Message);
        Assert.Equal([0, 0, 0], values.ToArray<int>());
        other.Dispose();
        Assert.Contains("was disposed of", Assert.Throws<ObjectDisposedException>(() => launch(3, view)).Message);
        Assert.Contains("was disposed of", Assert.Throws<ObjectDisposedException>(() => other.Kernel<Index1D, ArrayView<int>>(Count)).Message);
    }

    private static void CountPairs(Index2D i, ArrayView<int> values) => values[(2 * i.X) + i.Y]++;

    private static void CountGroups(ArrayView<int> values) => values[Grid.IdxX]++;

    private static void Count(Index1D i, ArrayView<int> values) => values[i] += i;

    private static void Throws(Index1D i, ArrayView<int> values)
    {
        if (values[i] < 0)
        {
            throw new ArgumentException("no");
        }
    }

    private sealed class HostOnly : Operation
    {
        public override string Name => "host_only";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Forward(CpuDevice device, OperationForward call) => call.Inputs[0].AsSpan<float>().CopyTo(call.Output.AsSpan<float>());
    }
}

[Collection("simulator")]
public class SimulatedOperationTests(SimulatorFixture fixture)
{
    [Fact]
    public void AnOutsideOperationRunsItsOwnKernels() => GpuOperationCheck.Run(fixture.Twin.Device, 3, 2, 3);
}
