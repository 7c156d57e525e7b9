using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The CPU's case list on OpenCL: every operation and kernel call against float64, real sizes against the CPU.</summary>
[Collection("opencl")]
public class OpenClCaseTests(OpenClFixture fixture)
{
    // A CPU's OpenCL does a few billion operations a second; the real sizes above this are too many seconds each.
    private const double MaxWork = 2e9;

    public static TheoryData<string> Operations => [.. OpCaseList.Checked.Select(c => c.Name)];

    public static TheoryData<string> KernelCalls => [.. KernelCaseList.Checked.Select(c => c.Name)];

    public static TheoryData<string> RealOperations =>
        [.. OpCaseList.All.Where(c => c.Real && c.Work.Flops + c.Work.BackwardFlops < MaxWork).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation(string name) => DeviceCases.Check(fixture.Twin.Device, OpCaseList.Named(name));

    [Theory]
    [MemberData(nameof(KernelCalls))]
    public void KernelCall(string name) => DeviceCases.Check(fixture.Twin.Device, KernelCaseList.Named(name));

    [Theory]
    [MemberData(nameof(RealOperations))]
    public void RealSize(string name)
    {
        var device = fixture.Twin.Device;
        using var cpu = new CpuDevice(2);
        var c = OpCaseList.Named(name);
        var oracle = CaseRunner.Run(c, cpu, new OpRunOptions());
        CaseAssert.Passed(CaseRunner.Check(c, device, oracle));
    }
}

/// <summary>The tiny cases on the simulator, which runs every lane of every group as written.</summary>
[Collection("simulator")]
public class SimulatorCaseTests(SimulatorFixture fixture)
{
    public static TheoryData<string> Operations => [.. OpCaseList.Checked.Where(c => c.Tiny).Select(c => c.Name)];

    public static TheoryData<string> KernelCalls => [.. KernelCaseList.Checked.Where(c => c.Tiny).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation(string name) => DeviceCases.Check(fixture.Twin.Device, OpCaseList.Named(name));

    [Theory]
    [MemberData(nameof(KernelCalls))]
    public void KernelCall(string name) => DeviceCases.Check(fixture.Twin.Device, KernelCaseList.Named(name));
}

internal static class DeviceCases
{
    internal static void Check(Device device, OpCase c) => NothingLeaks(device, () => CaseAssert.Passed(CaseRunner.Check(c, device)));

    internal static void Check(Device device, KernelCase c) => NothingLeaks(device, () => CaseAssert.Passed(CaseRunner.Check(c, device)));

    private static void NothingLeaks(Device device, Action body)
    {
        var launcher = KernelSet.For(device).Launcher!;
        long before = device.Pool.LiveBlocks - launcher.HeldBlocks;
        body();
        Assert.Equal(before, device.Pool.LiveBlocks - launcher.HeldBlocks);
    }
}
