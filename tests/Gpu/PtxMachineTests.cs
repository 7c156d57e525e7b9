using Ldvc.Kernels;
using Ldvc.Ptx.Machine;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>A device whose launches run as CUDA code, instruction by instruction, by a machine that takes nothing for granted. It needs no card, and no lane is a thread.</summary>
public sealed class PtxMachineFixture : SimulatorFixture
{
    public PtxMachineFixture() => KernelSet.For(Twin.Device).Launcher!.Recorder = Machine.Run;

    internal PtxMachine Machine { get; } = new();
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
public sealed class TensorCoreGemmPtxTests(PtxMachineFixture fixture) : TensorCoreGemmTests(fixture);

[Collection("ptx machine")]
public sealed class ElementwisePtxTests(PtxMachineFixture fixture) : SimulatorElementwiseTests(fixture);

[Collection("ptx machine")]
public sealed class ResamplePtxTests(PtxMachineFixture fixture) : SimulatorResampleTests(fixture);

[Collection("ptx machine")]
public sealed class CasePtxTests(PtxMachineFixture fixture) : SimulatorCaseTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreStoredPtxTests(PtxMachineFixture fixture) : TensorCoreStoredTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreTf32PtxTests(PtxMachineFixture fixture) : TensorCoreTf32Tests(fixture);

[Collection("ptx machine")]
public sealed class MatMulPtxTests(PtxMachineFixture fixture) : SimulatorMatMulTests(fixture);

[Collection("ptx machine")]
public sealed class PrecisionGoldenPtxTests(PtxMachineFixture fixture) : PrecisionGoldenTests(fixture);

[Collection("ptx machine")]
public sealed class GoldenPtxTests(PtxMachineFixture fixture) : SimulatorGoldenTests(fixture);

[Collection("ptx machine")]
public sealed class TensorCoreWeightPtxTests(PtxMachineFixture fixture) : TensorCoreWeightTests(fixture);
