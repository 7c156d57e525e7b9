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

/// <summary>
/// Tiny cases on the simulator, which runs every lane of every group as written, each lane a thread of the system: one of each kind, or all with
/// LDVC_TEST_ALL. All of them run as CUDA code (<see cref="CasePtxTests"/>) and on OpenCL.
/// </summary>
[Collection("simulator")]
public class SimulatorCaseTests(SimulatorFixture fixture)
{
    public static IEnumerable<ITheoryDataRow> Operations => OneOfEachKind(TinyCases.Operations);

    public static IEnumerable<ITheoryDataRow> KernelCalls => OneOfEachKind(TinyCases.KernelCalls);

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation(string name) => DeviceCases.Check(fixture.Twin.Device, OpCaseList.Named(name));

    [Theory]
    [MemberData(nameof(KernelCalls))]
    public void KernelCall(string name) => DeviceCases.Check(fixture.Twin.Device, KernelCaseList.Named(name));

    // A case's name begins with what it calls: "MatMul [2, 3] by [3, 4]".
    private static IEnumerable<ITheoryDataRow> OneOfEachKind(IEnumerable<string> names)
    {
        string[] all = [.. names], usual = [.. all.DistinctBy(name => name.Split(' ')[0])];
        return AllModels.Of(usual.Select(name => new object[] { name }), all.Except(usual).Select(name => new object[] { name }));
    }
}

/// <summary>Names of the cases that a simulated GPU gets through in a moment.</summary>
internal static class TinyCases
{
    internal static IEnumerable<string> Operations => OpCaseList.Checked.Where(c => c.Tiny).Select(c => c.Name);

    internal static IEnumerable<string> KernelCalls => KernelCaseList.Checked.Where(c => c.Tiny).Select(c => c.Name);
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
