using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>What the products multiply: numbers of 2 or 4 bytes, 16 bytes a chunk. One mma sums over two chunks.</summary>
internal interface ITensorCoreNumber
{
    /// <summary>Numbers of a chunk.</summary>
    static abstract int ChunkValues { get; }

    /// <summary>c + a b: 16 rows, 8 columns, two chunks of the sum.</summary>
    static abstract Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1);

    /// <summary>Four results as numbers of 16 bits.</summary>
    static abstract Halves4 Round(Float4 value, ArrayView<int> overflow);

    /// <summary>Four numbers of 16 bits.</summary>
    static abstract Float4 Widen(Halves4 value);

    /// <summary>What the sums are multiplied with on top of alpha: the inverse of a gradient's scale where it is used.</summary>
    static abstract float Alpha(float alpha, ArrayView<float> scale, int used);
}

/// <summary>16 bits, rounded when they were stored.</summary>
internal readonly struct HalfNumber<TFormat> : ITensorCoreNumber
    where TFormat : struct, IHalfFormat
{
    public static int ChunkValues => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => TFormat.Multiply(c, a, b0, b1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves4 Round(Float4 value, ArrayView<int> overflow) => Halves4.Round<TFormat>(value, overflow);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen(Halves4 value) => Halves4.Widen<TFormat>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Alpha(float alpha, ArrayView<float> scale, int used) => TFormat.Times(alpha, TFormat.Factor(scale, 1, used));
}

/// <summary>tf32: 10 bits of mantissa, rounded on the way from shared memory; in memory these are float32 numbers, as are the results.</summary>
internal readonly struct Tf32Number : ITensorCoreNumber
{
    public static int ChunkValues => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => Mma.Tf32(a.X, a.Y, a.Z, a.W, b0, b1, c.X, c.Y, c.Z, c.W);

    // MatMulPlan gives nothing of 16 bits to these kernels.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Halves4 Round(Float4 value, ArrayView<int> overflow) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen(Halves4 value) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Alpha(float alpha, ArrayView<float> scale, int used) => alpha;
}
