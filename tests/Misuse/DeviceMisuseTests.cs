using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>Devices that end, and several threads on one device.</summary>
public sealed class DeviceMisuseTests
{
    [Fact]
    public void ADeviceEndsOnce()
    {
        var device = new CpuDevice(3);
        using (var tape = new Tape(device, recording: false))
        {
            tape.Scale(tape.Constant(device.Zeros(new Shape(3))), 2);
        }

        device.Dispose();
        device.Dispose();
        Assert.True(device.IsDisposed);
        Assert.Contains(
            "device cpu was disposed of", Assert.Throws<ObjectDisposedException>(() => device.Empty(new Shape(1))).Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => device.Zeros(new Shape(1)));
        Assert.Throws<ObjectDisposedException>(() => device.FromHost(new float[1], new Shape(1)));
        Assert.Throws<ObjectDisposedException>(() => new Tape(device, recording: true));
    }

    // Two threads that open OpenCL's at once: one of three programs found no device in the second thread, one of ten ended.
    [Fact]
    public void DevicesAreOpenedOneAfterTheOther()
    {
        Device? opened = null;
        var thread = new Thread(() => opened = DeviceFactory.Open("simulator"));
        lock (GpuPlatform.Opening)
        {
            thread.Start();
            Assert.False(thread.Join(150));
        }

        thread.Join();
        using (opened)
        {
            Assert.Equal("simulator", opened!.Name);
        }
    }

    [Fact]
    public void WhatIsFreedAfterItsDeviceIsFreed()
    {
        var device = new CpuDevice(1);
        var tape = new Tape(device, recording: true);
        var x = tape.Input(device.Zeros(new Shape(3)));
        var y = tape.Scale(x, 2);
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => y.Value.ToArray());
        Assert.Throws<ObjectDisposedException>(() => tape.Scale(y, 2));
        tape.Dispose();
        Assert.Equal((0, 0), (device.Pool.LiveBlocks, device.Pool.ReservedBytes));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void TeamsHaveASensibleSize(int threads) => Assert.Throws<ArgumentOutOfRangeException>(() => new CpuDevice(threads));

    [Fact]
    public void SeveralThreadsOnOneCpuGetWhatOneGets()
    {
        using var device = new CpuDevice(2);
        OpCase[] cases = [.. OpCaseList.Checked.Where(c => !c.Random)];
        float[][] Run() => [.. cases.SelectMany(Results)];
        IEnumerable<float[]> Results(OpCase c)
        {
            using var run = new OpRun(c, device);
            var result = run.Run(new OpRunOptions());
            return [result.Output, .. result.Gradients.OfType<float[]>()];
        }

        float[][] expected = Run();
        var errors = new Exception?[4];
        Thread[] threads = [.. errors.Select((_, i) => new Thread(() => errors[i] = Record.Exception(() =>
        {
            for (int round = 0; round < 3; round++)
            {
                Assert.Equal(expected, Run());
            }
        })))];
        foreach (var thread in threads)
        {
            thread.Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        Assert.All(errors, Assert.Null);
        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Fact]
    public void AFailedAllocationLeavesThePoolAsItWas()
    {
        using var device = new CpuDevice(1);
        using var kept = device.Zeros(new Shape(100_000));
        var pool = device.Pool;
        var before = (pool.LiveBytes, pool.LiveBlocks, pool.ReservedBytes, pool.DeviceAllocations);
        CpuMemory.Refuses = _ => true;
        try
        {
            Assert.Throws<InputException>(() => device.Empty(new Shape(5000)));
            Assert.Throws<InputException>(kept.Clone);
            Assert.Throws<InputException>(() => device.FromHost(new float[2000], new Shape(2000)));
        }
        finally
        {
            CpuMemory.Refuses = null;
        }

        Assert.Equal(before, (pool.LiveBytes, pool.LiveBlocks, pool.ReservedBytes, pool.DeviceAllocations));
        using var after = device.Empty(new Shape(5000));
    }
}
