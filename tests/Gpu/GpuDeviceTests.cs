using ILGPU;
using ILGPU.Runtime.OpenCL;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Memory, transfers and errors of GPU devices.</summary>
[Collection("opencl")]
public class GpuDeviceTests(OpenClFixture fixture)
{
    [Fact]
    public void OutOfMemoryNamesTheTensorAndWhatIsFree()
    {
        using var device = Small(1 << 20);
        using var first = device.Empty(new Shape(100_000));
        var error = Assert.Throws<InputException>(() => device.Empty(new Shape(512, 1024)));
        Assert.Contains($"{device.Name}: out of memory for Float32 [512, 1024], 2 MiB wanted, ", error.Message);
        Assert.Contains("free of 1 MiB", error.Message);
    }

    [Fact]
    public void EventsTimeWhatWasQueuedBetweenThem()
    {
        Assert.False(fixture.Twin.Device is GpuDevice { HasEvents: true });
        using var device = (GpuDevice)DeviceFactory.Open(TestedGpu.Instead("opencl"), profiling: true);
        var kernels = KernelSet.For(device).Elementwise;
        using var x = device.Zeros(new Shape(1 << 22));
        void Scale(int times)
        {
            for (int i = 0; i < times; i++)
            {
                kernels.Scale(x, 0.5f, x, false, x.Count);
            }
        }

        Scale(1);
        device.Synchronize();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        double many = device.Time(() => Scale(20));
        Assert.InRange(many, 1e-5, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
        Assert.True(Enumerable.Range(0, 5).Min(_ => device.Time(() => Scale(1))) < many);
    }

    [Fact]
    public void MemoryOfOneSizeServesAnother()
    {
        using var device = Small(1 << 20);
        for (int round = 0; round < 4; round++)
        {
            foreach (int count in new[] { 60_000, 200_000, 10_000 })
            {
                using var tensor = device.Empty(new Shape(count));
            }
        }

        Assert.Equal(1, device.Counters.BufferCount);
    }

    [Fact]
    public void TensorsDoNotOverlap()
    {
        using var device = Small(4 << 20);
        var random = new CounterRandom(3);
        var kept = new List<(Tensor Tensor, float Value)>();
        for (int i = 0; i < 300; i++)
        {
            if (kept.Count > 20)
            {
                int gone = random.NextInt(kept.Count);
                kept[gone].Tensor.Dispose();
                kept.RemoveAt(gone);
                if (i % 50 == 0)
                {
                    device.Pool.Trim();
                }
            }

            float[] values = new float[1 + random.NextInt(20_000)];
            Array.Fill(values, i);
            kept.Add((device.FromHost(values, new Shape(values.Length)), i));
        }

        foreach (var (tensor, value) in kept)
        {
            Assert.All(tensor.ToArray(), v => Assert.Equal(value, v));
            tensor.Dispose();
        }

        device.Pool.Trim();
        Assert.True(device.Chunks[0]!.IsEmpty);
    }

    [Fact]
    public void LongTransfersPassThroughThePinnedBuffersAndAreCounted()
    {
        var device = fixture.Twin.Device;
        float[] values = [.. Enumerable.Range(0, 1_000_000).Select(i => i * 0.5f)];
        long uploads = device.Counters.UploadCount, bytes = device.Counters.UploadBytes, downloads = device.Counters.DownloadCount;
        using var tensor = device.FromHost(values, new Shape(values.Length));
        using var copy = tensor.Clone();
        Assert.Equal(values, copy.ToArray());
        Assert.Equal(
            (1, 4_000_000, 1),
            (device.Counters.UploadCount - uploads, device.Counters.UploadBytes - bytes, device.Counters.DownloadCount - downloads));
        copy.Clear();
        Assert.All(copy.ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void StagedInputsTakeTurns()
    {
        var device = fixture.Twin.Device;
        using var stage = new InputStage(device);
        using var result = device.Empty(new Shape(5000));
        float[] values = new float[5000];
        for (int step = 0; step < 6; step++)
        {
            if (!stage.IsFull)
            {
                Array.Fill(values, step);
                stage.Stage<float>(values, new Shape(5000), DType.Float32);
            }

            using var input = stage.Take();

            // The next input is staged while the kernel that reads this one may still run.
            KernelSet.For(device).Elementwise.Scale(input, 2, result, false, 5000);
            Array.Fill(values, step + 1);
            stage.Stage<float>(values, new Shape(5000), DType.Float32);
            Assert.All(result.ToArray(), v => Assert.Equal(2 * step, v));
        }

        Assert.Throws<InvalidOperationException>(() => stage.Stage<float>(values, new Shape(5000), DType.Float32));

        // No values are as good as some, between others.
        stage.Take().Dispose();
        stage.Stage<float>([], new Shape(0, 7), DType.Float32);
        using var none = stage.Take();
        stage.Stage<float>(values, new Shape(5000), DType.Float32);
        using var last = stage.Take();
        Assert.Equal((0, values[0]), (none.ToArray().Length, last.ToArray()[4999]));
    }

    [Theory]
    [InlineData("gpu", "device 'gpu': expected cpu, cuda")]
    [InlineData("cuda:77", "device cuda:77: no such device, ")]
    public void UnknownDevicesAreRefused(string name, string message) =>
        Assert.StartsWith(message, Assert.Throws<InputException>(() => DeviceFactory.Open(name)).Message);

    [Fact]
    public void UnknownDevicesSayWhatThereIs()
    {
        string kind = fixture.Twin.Device.Name.Split(':')[0];
        Assert.StartsWith(
            $"device {kind}:99: no such device, there is {kind}:0 = ", Assert.Throws<InputException>(() => DeviceFactory.Open($"{kind}:99")).Message);
    }

    [Fact]
    public void KernelsThatCannotBeCompiledSayWhich()
    {
        // A device of its own: a failed compilation spoils the context.
        using var device = Small(1 << 20);
        using var x = device.Empty(new Shape(4));
        using var launcher = new GpuLauncher(device);
        var kernel = new GpuKernel<BadArgs>("test.bad", Bad, 32);
        var error = Assert.Throws<NotSupportedException>(() => launcher.Launch(kernel, 1, new BadArgs { X = x.View.GpuFloats }));
        Assert.StartsWith($"kernel test.bad: ILGPU cannot compile it for {device.Name}: ", error.Message);
    }

    // Intel's and Apple's have no float64, some small ones few threads and little shared memory.
    [Fact]
    public void WhatAnOpenClDeviceLacksIsNamed()
    {
        using var device = Small(1 << 24);
        Assert.SkipUnless(device.Kind == GpuKind.OpenCl, "CUDA cards have all of it");
        using var x = device.Zeros(new Shape(4));
        using var launcher = new GpuLauncher(device);
        var kernel = new GpuKernel<BadArgs>("test.large", Fine, 1 << 20);
        string message = Assert.Throws<InputException>(() => launcher.Launch(kernel, 1, new BadArgs { X = x.View.GpuFloats })).Message;
        Assert.StartsWith($"{device.Name}: kernel test.large needs groups of 1048576 threads with 0 bytes of shared memory, ", message);
        kernel = new GpuKernel<BadArgs>("test.wide", Fine, 32) { SharedBytes = 1 << 30 };
        message = Assert.Throws<InputException>(() => launcher.Launch(kernel, 1, new BadArgs { X = x.View.GpuFloats })).Message;
        Assert.Contains("groups of 32 threads with 1073741824 bytes of shared memory", message);

        var capabilities = ((CLAccelerator)device.Accelerator).Capabilities;
        typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.Float64))!.SetValue(capabilities, false);
        message = Assert.Throws<InputException>(() => KernelSet.For(device).Reduction.Sum(x, 4)).Message;
        Assert.StartsWith($"{device.Name}: kernel reduction.sum needs what {device.Accelerator.Name} does not have (", message);
    }

    [Fact]
    public void ADeviceThatCannotBeOpenedIsNamed()
    {
        Assert.SkipUnless(fixture.Twin.Device.Kind == GpuKind.OpenCl, "CUDA cards open");
        using var context = Context.Create(builder => builder.OpenCL(_ => true));
        CLDevice device = context.GetCLDevices()[0];
        typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!.SetValue(device.Capabilities, false);
        string message = Assert.Throws<InputException>(() => GpuPlatform.Create(device, context, "opencl:7")).Message;
        Assert.StartsWith($"device opencl:7: {device.Name} cannot be opened (", message);
        Assert.EndsWith("); `ldvc doctor`, the tool, says more", message);
    }

    private static void Fine(BadArgs args) => args.X[0] = 1;

    private static void Bad(BadArgs args) => args.X[0] = new float[args.X.IntLength].Length;

    // Skips where there is no such device.
    private GpuDevice Small(long bytes)
    {
        return GpuPlatform.Open(fixture.Twin.Device.Kind, 0, bytes, bytes);
    }

    internal readonly struct BadArgs
    {
        internal ArrayView<float> X { get; init; }
    }
}
