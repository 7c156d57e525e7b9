using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// Products whose results are too few tiles to fill a device, with long sums: the sums are cut into parts, which different groups compute like a batch of
/// products, and <see cref="GpuSplitSum"/> adds the parts in order and applies the epilogue. No atomics: the same call gives the same bits.
/// </summary>
internal static class SplitK
{
    /// <summary>Parts are whole multiples of this many steps: the depth of every kernel's stage divides it.</summary>
    private const int Unit = 32;

    private const int MostParts = 16;

    // Groups of the 64 x 64 kernels that should be on a multiprocessor: they hide each other's waits.
    private const int GroupsEach = 4;

    /// <summary>Steps of a part, or 0 when a product is better left whole.</summary>
    /// <param name="gemm">The product.</param>
    /// <param name="precision">What it multiplies with.</param>
    /// <param name="multiprocessors">Multiprocessors to fill.</param>
    internal static int Part(in Gemm gemm, Precision precision, int multiprocessors)
    {
        long tiles = (long)GpuSizes.Groups(gemm.M, 64) * GpuSizes.Groups(gemm.N, 64);
        if (tiles == 0)
        {
            return 0;
        }

        int parts = (int)Math.Min(Math.Min(GroupsEach * (long)multiprocessors / tiles, gemm.K / ShortestPart(precision)), MostParts);
        return parts < 2 || !Allowed(gemm) ? 0 : Steps(gemm.K, parts);
    }

    // A second launch takes the host 7 us, in which one 64 x 64 tile goes through some 1000 steps in bf16, and through an eighth of that in float32 (bench tiles, on an H200). tf32 lies between.
    private static int ShortestPart(Precision precision) => precision switch
    {
        Precision.Bf16 => 1024,
        Precision.Tf32 => 384,
        _ => 128,
    };

    /// <summary>Whether a product can be cut: a single one with float32 results.</summary>
    internal static bool Allowed(in Gemm gemm) => gemm.Batch == 1 && !gemm.C.IsBf16 && !gemm.PreActivation.IsBf16;

    /// <summary>Steps of each of about so many parts.</summary>
    internal static int Steps(int k, int parts) => GpuSizes.Groups(k, parts * Unit) * Unit;

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

    /// <summary>Adds the parts up. The operands, which may be bf16, are not looked at again.</summary>
    internal static void Sum(GpuLauncher launcher, in Gemm gemm, in Gemm parts) => launcher.LaunchItems(
        GpuSplitSum.Kernel, (long)gemm.M * GpuSizes.Groups(gemm.N, 4),
        new SplitSumArgs { Product = GpuMatMul.Args(gemm with { A = gemm.C, B = gemm.C }), Sums = parts.C.GpuFloats, Parts = parts.Batch });
}
