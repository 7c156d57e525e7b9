using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>
/// Products whose results are too few tiles to fill a device, with long sums (<see cref="MatMulPlan.Part"/>): the sums are cut into parts, which
/// different groups compute like a batch of products, and <see cref="GpuSplitSum"/> adds the parts in order and applies the epilogue. No atomics: the
/// same call gives the same bits.
/// </summary>
internal static class SplitK
{
    /// <summary>A product's parts as a batch without an epilogue, whose results go to the partial sums [parts, M, N].</summary>
    internal static Gemm Parts(GpuLauncher launcher, in Gemm gemm, int part)
    {
        int parts = GpuSizes.Groups(gemm.K, part);
        return new Gemm(gemm.M, gemm.N, gemm.K, gemm.A, gemm.B, launcher.PartialSums.Floats((long)parts * gemm.M * gemm.N))
        {
            TransposeA = gemm.TransposeA,
            TransposeB = gemm.TransposeB,
            Lda = gemm.Lda,
            Ldb = gemm.Ldb,
            Batch = parts,
            StrideA = gemm.TransposeA ? (long)part * gemm.Lda : part,
            StrideB = gemm.TransposeB ? part : (long)part * gemm.Ldb,
            StrideC = (long)gemm.M * gemm.N,
        };
    }

    /// <summary>Adds the parts up. The operands, which may be of 16 bits, are not looked at again.</summary>
    internal static void Sum(GpuLauncher launcher, in Gemm gemm, in Gemm parts) => launcher.LaunchItems(
        GpuSplitSum.Kernel, (long)gemm.M * GpuSizes.Groups(gemm.N, 4),
        new SplitSumArgs { Product = GpuMatMul.Args(gemm with { A = gemm.C, B = gemm.C }), Sums = parts.C.GpuFloats, Parts = parts.Batch });
}
