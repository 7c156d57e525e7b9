using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Ptx.Machine;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// A device whose launches run as CUDA code, instruction by instruction, by a machine that takes nothing for granted. It needs no card, and no lane
/// is a thread.
/// </summary>
public sealed class PtxMachineFixture : SimulatorFixture
{
    public PtxMachineFixture()
        : base("simulator") => KernelSet.For(Twin.Device).Launcher!.Recorder = Machine.Run;

    internal PtxMachine Machine { get; } = new();

    /// <summary>When all tests have run, and not only a few that were asked for, every kernel of the catalog that a CUDA device runs has.</summary>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Assert.NotEmpty(Machine.Launches);
        string[] missing = [.. GpuKernelCatalog.All.Where(kernel => !kernel.OpenClOnly).Select(kernel => kernel.Name)
            .Where(name => !Machine.Launches.ContainsKey(name))];
        Assert.True(
            missing.Length == 0 || Machine.Launches.Count < GpuKernelCatalog.All.Count * 4 / 5,
            $"kernels that no test has run as CUDA code: {string.Join(", ", missing)}");
    }
}

[CollectionDefinition("ptx machine")]
public class PtxMachineCollection : ICollectionFixture<PtxMachineFixture>
{
}

[Collection("ptx machine")]
public sealed class RouteAttentionPtxTests(PtxMachineFixture fixture) : SimulatorRouteAttentionTests(fixture);

[Collection("ptx machine")]
public sealed class MaskLossPtxTests(PtxMachineFixture fixture) : SimulatorMaskLossTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreRouteAttentionPtxTests(PtxMachineFixture fixture) : TensorCoreRouteAttentionTests(fixture);

[Collection("ptx machine")]
public sealed class AttentionPtxTests(PtxMachineFixture fixture) : SimulatorAttentionTests(fixture);

[Collection("ptx machine")]
public sealed class SegmentationPtxTests(PtxMachineFixture fixture) : SimulatorSegmentationTests(fixture);

[Collection("ptx machine")]
public sealed class RowPtxTests(PtxMachineFixture fixture) : SimulatorRowTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreAttentionPtxTests(PtxMachineFixture fixture) : TensorCoreAttentionTests(fixture);

[Collection("ptx machine")]
public sealed class OptimizerPtxTests(PtxMachineFixture fixture) : SimulatorOptimizerTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreGemmPtxTests(PtxMachineFixture fixture) : TensorCoreGemmTests(fixture)
{
    [Theory]
    [InlineData(130, 30, 40, false, false)]
    [InlineData(100, 128, 48, true, true)]
    public void LargeTilesOfTheOtherForms(int m, int n, int k, bool transposeA, bool transposeB) =>
        LargeTileMatchesFloat64(m, n, k, transposeA, transposeB);

    [Theory]
    [InlineData(20, 16, 24, false, false, false)]
    [InlineData(20, 18, 20, true, true, false)]
    [InlineData(68, 16, 24, false, false, true)]
    [InlineData(68, 18, 20, false, true, true)]
    [InlineData(68, 16, 24, true, false, true)]
    [InlineData(68, 18, 20, true, true, true)]
    public void Fp16InTheOtherForms(int m, int n, int k, bool transposeA, bool transposeB, bool large) =>
        CheckFp16(m, n, k, transposeA, transposeB, large);
}

[Collection("ptx machine")]
public sealed class Fp16PtxTests(PtxMachineFixture fixture) : Fp16Tests(fixture);

[Collection("ptx machine")]
public sealed class ElementwisePtxTests(PtxMachineFixture fixture) : SimulatorElementwiseTests(fixture);

[Collection("ptx machine")]
public sealed class ResamplePtxTests(PtxMachineFixture fixture) : SimulatorResampleTests(fixture);

[Collection("ptx machine")]
public sealed class CasePtxTests(PtxMachineFixture fixture)
{
    public static TheoryData<string> Operations => [.. TinyCases.Operations];

    public static TheoryData<string> KernelCalls => [.. TinyCases.KernelCalls];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation(string name) => DeviceCases.Check(fixture.Twin.Device, OpCaseList.Named(name));

    [Theory]
    [MemberData(nameof(KernelCalls))]
    public void KernelCall(string name) => DeviceCases.Check(fixture.Twin.Device, KernelCaseList.Named(name));
}

[Collection("ptx machine")]
public sealed class TensorCoreStoredPtxTests(PtxMachineFixture fixture) : TensorCoreStoredTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreTf32PtxTests(PtxMachineFixture fixture) : TensorCoreTf32Tests(fixture)
{
    [Theory]
    [InlineData(130, 30, 24, false, false)]
    [InlineData(100, 128, 24, true, true)]
    public void LargeTilesOfTheOtherForms(int m, int n, int k, bool transposeA, bool transposeB) =>
        LargeTileMatchesFloat64(m, n, k, transposeA, transposeB);
}

[Collection("ptx machine")]
public sealed class MatMulPtxTests(PtxMachineFixture fixture) : SimulatorMatMulTests(fixture)
{
    /// <summary>Both tiles, whole quads and single numbers, every way of storing.</summary>
    [Theory]
    [InlineData(20, 36, 40)]
    [InlineData(19, 37, 21)]
    [InlineData(132, 140, 20)]
    [InlineData(131, 133, 21)]
    public void EveryForm(int m, int n, int k)
    {
        var launcher = KernelSet.For(fixture.Twin.Device).Launcher!;
        int multiprocessors = launcher.Multiprocessors;
        launcher.Multiprocessors = 1;
        try
        {
            MatMulCases.Transposes(fixture.Twin, m, n, k, 1);
        }
        finally
        {
            launcher.Multiprocessors = multiprocessors;
        }
    }
}

[Collection("ptx machine")]
public sealed class PrecisionGoldenPtxTests(PtxMachineFixture fixture) : PrecisionGoldenComparison(fixture)
{
    public static IEnumerable<ITheoryDataRow> Models => AllModels.Of(
        [["bf16", "ldvc-route", 1], ["bf16", "ldvc-zegclip", 1], ["tf32", "ldvc-dot-head", 2]],
        [
            ["bf16", "ldvc-full-attention", 1], ["tf32", "ldvc-route", 1],
            ["bf16", "clip-tiny", 1], ["bf16", "ldvc-no-self-attention", 1], ["tf32", "clip-tiny", 1], ["bf16", "training-free", 2],
            ["tf32", "training-free", 1],
        ]);

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryTensorIsWithin(string precision, string name, double factor) =>
        Compare(Enum.Parse<Precision>(precision, ignoreCase: true), name, factor);
}

[Collection("ptx machine")]
public sealed class GoldenPtxTests(PtxMachineFixture fixture)
{
    public static IEnumerable<ITheoryDataRow> Models => AllModels.Of(
        [["ldvc-dot-head"]],
        [["clip-tiny"], ["ldvc-route"], ["ldvc-no-self-attention"], ["ldvc-route-partial-windows"], ["ldvc-full-attention"], ["ldvc-zegclip"]]);

    [Theory]
    [MemberData(nameof(Models))]
    public void EveryTensorIsReproduced(string name) => GoldenCases.Compare(fixture.Twin, name);
}

[Collection("ptx machine")]
public sealed class TensorCoreWeightPtxTests(PtxMachineFixture fixture) : TensorCoreWeightTests(fixture);
