using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// Every choice of a matrix product on a GPU: what it multiplies with, in which tiles, and how its sums are cut. Sizes, precision and the number of
/// multiprocessors decide; what a kernel does with the choice is its own business.
/// </summary>
internal static class MatMulPlan
{
    /// <summary>Rows and columns of C that a group computes in large tiles.</summary>
    internal const int LargeEdge = 128;

    /// <summary>Rows and columns of C that a group computes in small tiles.</summary>
    internal const int SmallEdge = 64;

    // Below this, a 64 x 64 tile of the tensor cores is mostly padding.
    private const int MinTensorCoreEdge = 16;

    // No card with tensor cores has fewer multiprocessors; ILGPU's simulator says that it has one.
    private const int MinMultiprocessors = 8;

    // Large tiles of the tensor cores that a multiprocessor should get.
    private const int LargeTilesEach = 2;

    // Parts are whole multiples of this many steps: the depth of every kernel's stage divides it.
    private const int PartUnit = 32;

    private const int MaxParts = 16;

    // Groups of the 64 x 64 kernels that should be on a multiprocessor: they hide each other's waits.
    private const int PartsEach = 4;

    /// <summary>
    /// What a product multiplies with on a device of a given precision. With bf16 and fp16, that is what reads or writes a tensor stored so: the
    /// frozen vision tower, nine tenths of the arithmetic. The rest takes tf32: bf16's rounding would cost the mask logits several times their error,
    /// and move routes (docs/kernels.md has the numbers), and trained tensors may leave the range of fp16.
    /// </summary>
    internal static Precision Multiplies(Precision device, in Gemm gemm)
    {
        // In fp16 the towers are exact enough for the routes of float32, if what decides them is, too.
        if (gemm.DecidesRoutes && device == Precision.Fp16)
        {
            return Precision.Fp32;
        }

        // A tensor that was stored for another precision than the device's has no kernel for tensor cores.
        DType? stored = gemm.HalfType;
        var precision = stored is null ? (device.HalfType() is null ? device : Precision.Tf32) : stored == device.HalfType() ? device
            : Precision.Fp32;
        bool takes = precision != Precision.Fp32 && gemm.M >= MinTensorCoreEdge && gemm.N >= MinTensorCoreEdge && gemm.K >= MinTensorCoreEdge;
        return takes && Fits(gemm, precision) ? precision : Precision.Fp32;
    }

    /// <summary>
    /// How a frozen matrix [outputs, ...inputs] is stored on a device: in 16 bits where its products multiply so, provided that rows are whole chunks
    /// of 8 numbers. Forward and input gradient read the same copy.
    /// </summary>
    internal static DType StoredType(Device device, Shape shape)
    {
        long columns = shape.Count / shape[0];
        bool chunks = columns % 8 == 0 && columns >= MinTensorCoreEdge && shape[0] >= MinTensorCoreEdge;
        return device.Precision.HalfType() is { } half && chunks ? half : DType.Float32;
    }

    /// <summary>The tile that a product is given, and the steps of its parts; 0 for a whole one.</summary>
    internal static (bool Large, int Part) Tile(in Gemm gemm, Precision precision, int multiprocessors)
    {
        bool large = TakesLarge(gemm, precision, multiprocessors);
        return (large, large ? 0 : Part(gemm, precision, multiprocessors));
    }

    /// <summary>
    /// Large tiles reuse what they load twice as often. The portable kernels take them where there are enough of them to give every multiprocessor
    /// one; those of the tensor cores where each gets two: with fewer, twice as many groups hide each other's waits better (bench tiles: 1035 x 2304
    /// x 768 takes 22 us in small tiles, 29 in large ones on an H200).
    /// </summary>
    internal static bool TakesLarge(in Gemm gemm, Precision precision, int multiprocessors)
    {
        long tiles = (long)GpuSizes.Groups(gemm.M, LargeEdge) * GpuSizes.Groups(gemm.N, LargeEdge) * gemm.Batch;
        return precision == Precision.Fp32
            ? tiles >= multiprocessors && gemm.M > SmallEdge && gemm.N > SmallEdge
            : tiles >= LargeTilesEach * Math.Max(multiprocessors, MinMultiprocessors);
    }

    /// <summary>Steps of a part of a product's sums in small tiles, or 0 when it is better left whole.</summary>
    internal static int Part(in Gemm gemm, Precision precision, int multiprocessors)
    {
        // Only a single product with float32 results can be cut.
        long tiles = (long)GpuSizes.Groups(gemm.M, SmallEdge) * GpuSizes.Groups(gemm.N, SmallEdge);
        if (tiles == 0 || gemm.Batch != 1 || gemm.C.IsHalf || gemm.PreActivation.IsHalf)
        {
            return 0;
        }

        int parts = (int)Math.Min(Math.Min(PartsEach * (long)multiprocessors / tiles, gemm.K / MinPart(precision)), MaxParts);
        return parts < 2 ? 0 : Steps(gemm.K, parts);
    }

    /// <summary>Steps of each of about so many parts.</summary>
    internal static int Steps(int k, int parts) => GpuSizes.Groups(k, parts * PartUnit) * PartUnit;

    /// <summary>Whether results, and what the epilogue reads, lie so that four values can be moved at once.</summary>
    internal static bool HasQuads(in Gemm gemm)
    {
        long offsets = gemm.C.Offset | gemm.Bias.Offset | gemm.PreActivation.Offset | gemm.Residual.Offset | gemm.ActivationGradientOf.Offset;
        return (offsets | (uint)gemm.Ldc | gemm.StrideC | (uint)gemm.N) % 4 == 0;
    }

    // Whether matrices lie as the tensor-core kernels want them: results of 16 bits are stored four at a time; float32 inputs of tf32 are copied 16
    // bytes at a time.
    private static bool Fits(in Gemm gemm, Precision precision) => precision == Precision.Tf32
        ? gemm.HalfType is null && GpuSizes.CanPack(gemm.A.Offset, gemm.Lda, gemm.StrideA, gemm.B.Offset, gemm.Ldb, gemm.StrideB)
        : (!gemm.C.IsHalf && !gemm.PreActivation.IsHalf && !gemm.ActivationGradientOf.IsHalf) || HasQuads(gemm);

    // A second launch takes the host 7 us, in which one 64 x 64 tile goes through some 1000 steps in bf16, and through an eighth of that in float32
    // (bench tiles, on an H200). tf32 lies between; fp16 takes as long as bf16.
    private static int MinPart(Precision precision) => precision switch
    {
        Precision.Bf16 or Precision.Fp16 => 1024,
        Precision.Tf32 => 384,
        _ => 128,
    };
}
