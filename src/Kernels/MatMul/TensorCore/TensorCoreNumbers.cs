using System.Runtime.CompilerServices;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>What the products multiply: numbers of 2 or 4 bytes, 16 bytes a chunk. One mma sums over two chunks.</summary>
internal interface ITensorCoreNumber
{
    /// <summary>Numbers of a chunk.</summary>
    static abstract int ChunkValues { get; }

    /// <summary>c + a b: 16 rows, 8 columns, two chunks of the sum.</summary>
    static abstract Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1);
}

/// <summary>bf16: 7 bits of mantissa, rounded when it was stored.</summary>
internal readonly struct Bf16Number : ITensorCoreNumber
{
    public static int ChunkValues => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => Mma.Bf16(a.X, a.Y, a.Z, a.W, b0, b1, c.X, c.Y, c.Z, c.W);
}

/// <summary>tf32: 10 bits of mantissa, rounded on the way from shared memory; in memory these are float32 numbers.</summary>
internal readonly struct Tf32Number : ITensorCoreNumber
{
    public static int ChunkValues => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => Mma.Tf32(a.X, a.Y, a.Z, a.W, b0, b1, c.X, c.Y, c.Z, c.W);
}
