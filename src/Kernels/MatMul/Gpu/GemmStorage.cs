using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>The matrices of a product as they are stored on a GPU.</summary>
internal static class GemmStorage
{
    extension(in Gemm gemm)
    {
        /// <summary>A as it is stored.</summary>
        internal HalfMatrix StoredA => HalfMatrix.Of(
            gemm.A, gemm.TransposeA ? gemm.K : gemm.M, gemm.TransposeA ? gemm.M : gemm.K, gemm.Lda, gemm.StrideA, gemm.Batch) with
        { Scale = gemm.GradientScale };

        /// <summary>B as it is stored.</summary>
        internal HalfMatrix StoredB => HalfMatrix.Of(
            gemm.B, gemm.TransposeB ? gemm.N : gemm.K, gemm.TransposeB ? gemm.K : gemm.N, gemm.Ldb, gemm.StrideB, gemm.Batch);

        /// <summary>C, or what is laid out like it, as it is stored.</summary>
        internal HalfMatrix LikeC(View view) => HalfMatrix.Of(view, gemm.M, gemm.N, gemm.Ldc, gemm.StrideC, gemm.Batch);
    }
}
