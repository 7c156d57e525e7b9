using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// Queues matrix products on the tensor cores: inputs that are not stored in bf16 are rounded to it in the workspace, then one <see cref="TensorCoreGemm"/> runs.
/// </summary>
internal sealed class TensorCoreMatMul(GpuLauncher launcher) : IMatMulKernels
{
    /// <inheritdoc/>
    public void Run(in Gemm gemm) => Run(gemm, TensorCoreGemmKernels.TakesLarge(gemm.M, gemm.N, gemm.Batch, launcher.Multiprocessors));

    /// <summary>Whether the epilogue can store the results where they belong: bf16 ones only four at a time.</summary>
    internal static bool Fits(in Gemm gemm) => (!gemm.C.IsBf16 && !gemm.PreActivation.IsBf16) || (Flags(gemm) & TensorCoreEpilogue.HasQuads) != 0;

    /// <summary>Runs a product with a given tile.</summary>
    internal void Run(in Gemm gemm, bool large) => Run(gemm, large, large ? 0 : SplitK.Part(gemm, launcher.Multiprocessors));

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

    // Operands are rounded as the whole product has them; groups compute the products of the batch.
    private void Launch(in Gemm whole, in Gemm gemm, bool large, int part)
    {
        var kernel = TensorCoreGemmKernels.Get(large, gemm.TransposeA, gemm.TransposeB);
        var a = whole.StoredA;
        var b = whole.StoredB;
        var workspace = launcher.Workspace.Bytes(a.PackedBytes + b.PackedBytes);
        long at = 0;
        var c = Raw(gemm.C);
        int edge = TensorCoreGemmKernels.Edge(large);
        var args = new TensorCoreGemmArguments
        {
            A = a.Packed(launcher, workspace, ref at),
            B = b.Packed(launcher, workspace, ref at),
            C = c,
            Bias = gemm.Bias.IsNone ? c : gemm.Bias.GpuFloats,
            PreActivation = gemm.PreActivation.IsNone ? c : Raw(gemm.PreActivation),
            Residual = gemm.Residual.IsNone ? c : gemm.Residual.GpuFloats,
            ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? c : gemm.ActivationGradientOf.GpuFloats,
            M = gemm.M,
            N = gemm.N,
            K = gemm.K,
            Part = part,
            RowA = a.RowChunks,
            RowB = b.RowChunks,
            BatchA = part == 0 ? a.MatrixChunks : gemm.TransposeA ? part * a.RowChunks : part / 8,
            BatchB = part == 0 ? b.MatrixChunks : gemm.TransposeB ? part / 8 : part * b.RowChunks,
            RowC = gemm.Ldc,
            BatchC = GpuSizes.Index(gemm.StrideC, kernel),
            Alpha = gemm.Alpha,
            Flags = Flags(gemm),
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
        flags |= gemm.C.IsBf16 ? TensorCoreEpilogue.RoundsC : 0;
        flags |= gemm.PreActivation.IsBf16 ? TensorCoreEpilogue.RoundsPreActivation : 0;
        long offsets = gemm.C.Offset | gemm.Bias.Offset | gemm.PreActivation.Offset | gemm.Residual.Offset | gemm.ActivationGradientOf.Offset;
        return (offsets | (uint)gemm.Ldc | gemm.StrideC | (uint)gemm.N) % 4 == 0 ? flags | TensorCoreEpilogue.HasQuads : flags;
    }

    // Memory from a view's first element on. The kernel is told by a flag when it holds bf16 numbers.
    private static ILGPU.ArrayView<float> Raw(View view) => view.IsBf16 ? view.GpuBf16.Cast<float>() : view.GpuFloats;
}
