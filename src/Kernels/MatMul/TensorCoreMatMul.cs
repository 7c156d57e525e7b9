using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.MatMul;

/// <summary>Queues matrix products on the tensor cores: rounds both inputs to bf16 in the workspace, then runs one <see cref="TensorCoreGemm"/>.</summary>
internal sealed class TensorCoreMatMul(GpuLauncher launcher) : IMatMulKernels
{
    /// <inheritdoc/>
    public void Run(in Gemm gemm) => Run(gemm, TensorCoreGemmKernels.TakesLarge(gemm.M, gemm.N, gemm.Batch, launcher.Device.Accelerator.NumMultiprocessors));

    /// <summary>Runs a product with a given tile.</summary>
    internal void Run(in Gemm gemm, bool large)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        var kernel = TensorCoreGemmKernels.Get(large, gemm.TransposeA, gemm.TransposeB);
        var a = Operand.Of(gemm.TransposeA ? gemm.K : gemm.M, gemm.TransposeA ? gemm.M : gemm.K, gemm.Lda, gemm.StrideA, gemm.Batch);
        var b = Operand.Of(gemm.TransposeB ? gemm.N : gemm.K, gemm.TransposeB ? gemm.K : gemm.N, gemm.Ldb, gemm.StrideB, gemm.Batch);
        var packed = launcher.Workspace.Bytes((a.Chunks + b.Chunks) * 16).GpuBytes.Cast<Bf16x8>();
        var packedA = packed.SubView(0, a.Chunks);
        var packedB = packed.SubView(a.Chunks, b.Chunks);
        Pack(gemm.A, a, packedA);
        Pack(gemm.B, b, packedB);
        var c = gemm.C.GpuFloats;
        int edge = TensorCoreGemmKernels.Edge(large);
        var args = new TensorCoreGemmArguments
        {
            A = packedA,
            B = packedB,
            C = c,
            Bias = gemm.Bias.IsNone ? c : gemm.Bias.GpuFloats,
            PreActivation = gemm.PreActivation.IsNone ? c : gemm.PreActivation.GpuFloats,
            Residual = gemm.Residual.IsNone ? c : gemm.Residual.GpuFloats,
            ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? c : gemm.ActivationGradientOf.GpuFloats,
            M = gemm.M,
            N = gemm.N,
            K = gemm.K,
            RowA = a.RowChunks,
            RowB = b.RowChunks,
            BatchA = a.MatrixChunks,
            BatchB = b.MatrixChunks,
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
        long offsets = gemm.C.Offset | gemm.Bias.Offset | gemm.PreActivation.Offset | gemm.Residual.Offset | gemm.ActivationGradientOf.Offset;
        return (offsets | (uint)gemm.Ldc | gemm.StrideC | (uint)gemm.N) % 4 == 0 ? flags | TensorCoreEpilogue.HasQuads : flags;
    }

    private void Pack(View source, in Operand operand, ILGPU.ArrayView<Bf16x8> target)
    {
        int chunks = GpuSizes.Index(operand.Chunks, PackBf16.Kernel);
        GpuSizes.Index(((operand.Matrices - 1) * operand.Stride) + ((long)operand.Rows * operand.Row), PackBf16.Kernel);
        launcher.LaunchItems(PackBf16.Kernel, chunks, new PackArgs
        {
            Source = source.GpuFloats,
            Target = target,
            Rows = operand.Rows,
            Columns = operand.Columns,
            Row = operand.Row,
            Matrix = (int)operand.Stride,
            Chunks = chunks,
            Aligned = (source.Offset | (uint)operand.Row | operand.Stride) % 4 == 0 ? 1 : 0,
        });
    }

    /// <summary>A matrix as it is stored; one that a whole batch shares is packed once.</summary>
    private readonly record struct Operand(int Rows, int Columns, int Row, long Stride, int Matrices)
    {
        internal int RowChunks => PackBf16.RowChunks(Columns);

        internal int MatrixChunks => Matrices == 1 ? 0 : Rows * RowChunks;

        internal long Chunks => (long)Matrices * Rows * RowChunks;

        internal static Operand Of(int rows, int columns, int row, long stride, int batch) =>
            new(rows, columns, row, stride, stride == 0 ? 1 : batch);
    }
}
