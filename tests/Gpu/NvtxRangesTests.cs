using System.Runtime.InteropServices;
using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Profiler ranges: which libraries are taken, and what is pushed and popped around operations and kernels.</summary>
public unsafe class NvtxRangesTests
{
    private static readonly List<string> s_calls = [];

    [Fact]
    public void AreNothingWithoutTheLibrary()
    {
        Assert.Null(NvtxRanges.Open("libnvtx-which-does-not-exist.so.1"));

        // A library that exists and has no such functions.
        Assert.Null(NvtxRanges.Open(OperatingSystem.IsWindows() ? "kernel32.dll" : "libc.so.6"));
        using var cpu = DeviceFactory.Open("cpu", 1);
        using var range = cpu.Range("anything");
    }

    [Fact]
    public void NestAroundKernelsAndOperations()
    {
        using var device = (GpuDevice)DeviceFactory.Open("simulator");
        s_calls.Clear();
        device.Ranges = NvtxRanges.From(&Push, &Pop);
        using (device.Range("step"))
        {
            using var tape = new Tape(device, recording: true);
            using var x = device.FromHost(new float[] { 1, 2, 3, 4 }, new Shape(4));
            var y = tape.Scale(tape.Input(x.Share()), 2);
            tape.Backward(y);
        }

        Assert.Equal("push step", s_calls[0]);
        Assert.Equal(s_calls.Count(call => call.StartsWith("push", StringComparison.Ordinal)), s_calls.Count(call => call == "pop"));
        int backward = s_calls.IndexOf("push ScaleOp backward");
        Assert.Equal(["push elementwise.scale", "pop"], s_calls[1..3]);
        Assert.Equal("push elementwise.scale", s_calls[backward + 1]);
        Assert.Equal("pop", s_calls[^1]);
    }

    [UnmanagedCallersOnly]
    private static int Push(byte* name)
    {
        s_calls.Add("push " + Marshal.PtrToStringUTF8((nint)name));
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Pop()
    {
        s_calls.Add("pop");
        return 0;
    }
}
