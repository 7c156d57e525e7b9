using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Wrong use of GPU devices: threads, ends, faults.</summary>
[Collection("simulator")]
public sealed class GpuMisuseTests
{
    // ILGPU asks for methods of .NET by their names.
    [Fact]
    public void ATrimmedProgramIsToldWhyItHasNoGpu()
    {
        var missing = new MissingMethodException("Method 'BitOperations.TrailingZeroCount' not found.");
        string said = GpuPlatform.Unusable(GpuKind.OpenCl, new TypeInitializationException("ILGPU.AlgorithmContext", missing)).Message;
        Assert.StartsWith("device opencl: ILGPU lacks a part of .NET (Method 'BitOperations.TrailingZeroCount' not found); ", said);
        Assert.Contains("a program that was trimmed", said);

        // What a program with PublishTrimmed meets.
        var intrinsic = new NotSupportedException("Not supported intrinsic type 'ILGPU.Backends.PTX.PTXIntrinsic'");
        Assert.Contains("a program that was trimmed", GpuPlatform.Unusable(GpuKind.OpenCl, intrinsic).Message);
        said = GpuPlatform.Unusable(GpuKind.Cuda, new DllNotFoundException("nvcuda")).Message;
        Assert.Equal("device cuda: the driver's library cannot be used (nvcuda); `ldvc doctor`, the tool, says more", said);
    }

    [Fact]
    public void ATapeOfAnotherThreadIsRefusedUntilTheFirstEnds()
    {
        using var device = (GpuDevice)DeviceFactory.Open("simulator");
        Exception? Elsewhere(bool leaveOpen = false)
        {
            Exception? error = null;
            var thread = new Thread(() => error = Record.Exception(() =>
            {
                var tape = new Tape(device, recording: false);
                tape.Scale(tape.Constant(device.Zeros(new Shape(3))), 2);
                if (!leaveOpen)
                {
                    tape.Dispose();
                }
            }));
            thread.Start();
            thread.Join();
            return error;
        }

        using (var tape = new Tape(device, recording: false))
        using (new Tape(device, recording: true))
        {
            tape.Scale(tape.Constant(device.Zeros(new Shape(3))), 2);
            Assert.Contains(
                "simulator is in use by another thread", Assert.IsType<InvalidOperationException>(Elsewhere()).Message, StringComparison.Ordinal);
        }

        // It passes from thread to thread, also from one that left a tape behind and ended.
        Assert.Null(Elsewhere());
        Assert.Null(Elsewhere(leaveOpen: true));
        Assert.Null(Elsewhere());
        new Tape(device, recording: false).Dispose();
    }

    [Fact]
    public void WhatTwoThreadsQueueAtOnceIsRefused()
    {
        var turn = new GpuTurn("gpu");
        using (turn.Enter())
        {
            using var again = turn.Enter();
            Exception? error = null;
            var thread = new Thread(() => error = Record.Exception(() => turn.Enter().Dispose()));
            thread.Start();
            thread.Join();
            Assert.IsType<InvalidOperationException>(error);
        }

        using var after = turn.Enter();
    }

    [Fact]
    public void ARefusedCopyLeavesNoMemoryBehind()
    {
        using var device = (GpuDevice)DeviceFactory.Open("simulator");
        using var kept = device.FromHost([1f, 2f], new Shape(2));
        var errors = new List<Exception?>();
        using (device.Turn.Enter())
        {
            var thread = new Thread(() => errors.AddRange(
            [
                Record.Exception(() => device.FromHost([1f], new Shape(1))), Record.Exception(() => device.FromHost([1], new Shape(1))),
                Record.Exception(() => device.FromHost([(byte)1], new Shape(1))),
                Record.Exception(() => device.Zeros(new Shape(3))),
                Record.Exception(kept.Clone),
            ]));
            thread.Start();
            thread.Join();
        }

        Assert.All(errors, error => Assert.IsType<InvalidOperationException>(error));
        Assert.Equal(1, device.Pool.LiveBlocks);
    }

    [Fact]
    public void ADeviceEndsOnce()
    {
        var device = (GpuDevice)DeviceFactory.Open("simulator");
        var tensor = device.FromHost([1f, 2f], new Shape(2));
        var stage = new InputStage(device);
        stage.Stage<float>([1f, 2f], new Shape(2), DType.Float32);
        device.Dispose();
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ToArray());
        Assert.Throws<ObjectDisposedException>(() => device.Empty(new Shape(1)));
        Assert.Throws<ObjectDisposedException>(device.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => new Tape(device, recording: false));
        tensor.Dispose();
        stage.Dispose();
        Assert.Equal(0, device.Pool.LiveBlocks);
    }

    [Fact]
    public void AnInputSlotWithoutMemoryIsEmpty()
    {
        using var device = GpuPlatform.Open(GpuKind.Simulator, 0, memoryLimit: 1 << 20, chunkBytes: 1 << 20);
        using var stage = new InputStage(device);
        void Stage(int count) => stage.Stage<float>(new float[count], new Shape(count), DType.Float32);
        Stage(100);
        stage.Take().Dispose();
        Assert.Contains("out of memory", Assert.Throws<InputException>(() => Stage(1 << 20)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => Stage(1 << 20));
        Stage(100);
        using var taken = stage.Take();
        Assert.Equal(new float[100], taken.ToArray());
    }

    [Fact]
    public void OnlyWantOfMemoryIsOutOfMemory()
    {
        Assert.True(GpuFault.IsOutOfMemory(new InsufficientMemoryException()));
        Assert.False(GpuFault.IsOutOfMemory(new ILGPU.Runtime.Cuda.CudaException()));
        Assert.False(GpuFault.IsOutOfMemory(new ILGPU.Runtime.OpenCL.CLException()));
        Assert.False(GpuFault.IsOutOfMemory(new InvalidOperationException()));
    }

    [Fact]
    public void KernelsOfAGpuRefuseOtherElementsAndCpus()
    {
        using var device = DeviceFactory.Open("simulator");
        using var cpu = new CpuDevice(1);
        using Tensor bytes = device.Zeros(new Shape(4), DType.UInt8), far = cpu.Zeros(new Shape(4));
        Assert.Throws<InvalidOperationException>(() => bytes.View.GpuFloats);
        Assert.Throws<InvalidOperationException>(() => bytes.View.GpuInts);
        Assert.Throws<InvalidOperationException>(() => far.View.GpuFloats);
        using var tape = new Tape(device, recording: false);
        string message = Assert.Throws<ArgumentException>(
            () => tape.Linear(tape.Constant(bytes.Share()), tape.Constant(bytes.Share()), null)).Message;
        Assert.Contains("linear: x must be float32, bf16 or fp16, got UInt8 [4]", message, StringComparison.Ordinal);
    }
}
