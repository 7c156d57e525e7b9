using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>
/// Queues matrix products on the tensor cores. For bf16 and fp16, inputs that are not stored so are rounded in the workspace, then one
/// <see cref="TensorCoreGemm"/> runs; for tf32 it reads the float32 inputs where they lie.
/// </summary>
internal sealed class TensorCoreMatMul(GpuLauncher launcher, Precision precision = Precision.Bf16) : IMatMulKernels
{
    // Null for tf32, which reads float32.
    private readonly DType? _half = precision.HalfType();

    /// <inheritdoc/>
    public void Run(in Gemm gemm)
    {
        var (large, part) = Choose(gemm);
        Run(gemm, large, part);
    }

    /// <summary>The tile that a product is given, and the steps of its parts; 0 for a whole one.</summary>
    internal (bool Large, int Part) Choose(in Gemm gemm) => MatMulPlan.Tile(gemm, precision, launcher.Multiprocessors);

    /// <summary>Runs a product with a given tile.</summary>
    internal void Run(in Gemm gemm, bool large) => Run(gemm, large, Part(gemm, large));

    /// <inheritdoc/>
    public GemmParts RunInParts(in Gemm gemm) => RunInParts(gemm, Choose(gemm).Large);

    /// <summary>Runs a product with a given tile and leaves its parts.</summary>
    internal GemmParts RunInParts(in Gemm gemm, bool large)
    {
        int part = Part(gemm, large);
        if (part == 0 || gemm.M == 0)
        {
            Run(gemm, large, 0);
            return new GemmParts(gemm.C);
        }

        var parts = SplitK.Parts(launcher, gemm, part);
        Launch(gemm, parts, large, part);
        return new GemmParts(parts.C, parts.Batch, parts.StrideC);
    }

    /// <summary>Runs a product in parts of so many steps of its sums; 0 for a whole one.</summary>
    internal void Run(in Gemm gemm, bool large, int part)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        if (part > 0)
        {
            var parts = SplitK.Parts(launcher, gemm, part);
            Launch(gemm, parts, large, part);
            SplitK.Sum(launcher, gemm, parts);
            return;
        }

        Launch(gemm, gemm, large, 0);
    }

    private int Part(in Gemm gemm, bool large) => large ? 0 : MatMulPlan.Part(gemm, precision, launcher.Multiprocessors);

    // Operands are rounded as the whole product has them; groups compute the products of the batch.
    private void Launch(in Gemm whole, in Gemm gemm, bool large, int part)
    {
        var kernel = TensorCoreGemmKernels.Get(precision, large, gemm.TransposeA, gemm.TransposeB);
        var (a, b) = _half is { } half ? Rounded(half, whole.StoredA, whole.StoredB) : (Floats(whole.StoredA), Floats(whole.StoredB));
        int partChunks = part / (_half is null ? Tf32Number.ChunkValues : HalfNumber<Bf16Format>.ChunkValues);
        var c = Raw(gemm.C);
        bool unscales = _half == DType.Float16 && !whole.GradientScale.IsNone && !gemm.C.IsHalf;
        int edge = TensorCoreGemmKernels.Edge(large);
        var args = new TensorCoreGemmArguments
        {
            A = a.Chunks,
            B = b.Chunks,
            C = c,
            Bias = gemm.Bias.IsNone ? c : gemm.Bias.GpuFloats,
            PreActivation = gemm.PreActivation.IsNone ? c : Raw(gemm.PreActivation),
            Residual = gemm.Residual.IsNone ? c : gemm.Residual.GpuFloats,
            ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? c : Raw(gemm.ActivationGradientOf),
            Scale = unscales ? whole.GradientScale.GpuFloats : c,
            Overflow = launcher.Half.OverflowOf(_half ?? DType.BFloat16, c),
            M = gemm.M,
            N = gemm.N,
            K = gemm.K,
            Part = part,
            RowA = a.Row,
            RowB = b.Row,
            BatchA = part == 0 ? a.Batch : gemm.TransposeA ? part * a.Row : partChunks,
            BatchB = part == 0 ? b.Batch : gemm.TransposeB ? partChunks : part * b.Row,
            RowC = gemm.Ldc,
            BatchC = GpuSizes.Index(gemm.StrideC, kernel),
            Alpha = gemm.Alpha,
            Flags = Flags(gemm) | (unscales ? TensorCoreEpilogue.Unscales : 0),
            Activation = (int)gemm.Activation,
        };
        GpuSizes.Index(((gemm.Batch - 1) * gemm.StrideC) + ((long)(gemm.M - 1) * gemm.Ldc) + gemm.N, kernel);
        launcher.Launch(kernel, GpuSizes.Groups(gemm.N, edge), GpuSizes.Groups(gemm.M, edge), gemm.Batch, args);
    }

    private static int Flags(in Gemm gemm)
    {
        int flags = gemm.Bias.IsNone ? 0 : TensorCoreEpilogue.HasBias;
        flags |= gemm.PreActivation.IsNone ? 0 : TensorCoreEpilogue.HasPreActivation;
        flags |= gemm.Residual.IsNone ? 0 : TensorCoreEpilogue.HasResidual;
        flags |= gemm.ActivationGradientOf.IsNone ? 0 : TensorCoreEpilogue.HasGradient;
        flags |= gemm.Accumulate ? TensorCoreEpilogue.Accumulates : 0;
        flags |= gemm.C.IsHalf ? TensorCoreEpilogue.RoundsC : 0;
        flags |= gemm.PreActivation.IsHalf ? TensorCoreEpilogue.RoundsPreActivation : 0;
        flags |= gemm.ActivationGradientOf.IsHalf ? TensorCoreEpilogue.WidensGradient : 0;
        return MatMulPlan.HasQuads(gemm) ? flags | TensorCoreEpilogue.HasQuads : flags;
    }

    private (Operand A, Operand B) Rounded(DType half, HalfMatrix a, HalfMatrix b)
    {
        var workspace = launcher.Workspace.Bytes(a.PackedBytes + b.PackedBytes);
        long at = 0;
        launcher.Packs.Begin(half);
        var operands = (
            new Operand(a.Packed(launcher, workspace, ref at), a.RowChunks, a.MatrixChunks),
            new Operand(b.Packed(launcher, workspace, ref at), b.RowChunks, b.MatrixChunks));
        launcher.Packs.Flush();
        return operands;
    }

    private static Operand Floats(HalfMatrix matrix)
    {
        GpuSizes.Index(((matrix.Matrices - 1) * matrix.Stride) + ((long)matrix.Rows * matrix.Row), PackHalf.Kernel(DType.BFloat16));
        return new Operand(matrix.Data.GpuFloats.Cast<Halves8>(), matrix.Row / 4, (int)(matrix.Stride / 4));
    }

    // Memory from a view's first element on. The kernel is told by a flag when it holds numbers of 16 bits.
    private static ILGPU.ArrayView<float> Raw(View view) => view.IsHalf ? view.GpuHalves.Cast<float>() : view.GpuFloats;

    /// <summary>Chunks, and how many there are from row to row and from matrix to matrix.</summary>
    private readonly record struct Operand(ILGPU.ArrayView<Halves8> Chunks, int Row, int Batch);
}
