using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// How o is stored, which the forward writes and delta reads, or the gradients that the backward writes; offsets are in elements and even.
/// </summary>
internal interface ITensorCoreOutput
{
    /// <summary>Suffix of the names of kernels for it.</summary>
    static abstract string Suffix { get; }

    /// <summary>Stores the rows of a lane's quad that exist; row0 and row1 as in <see cref="TensorCoreTile.StoreRows"/>.</summary>
    static abstract void Store<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1)
        where TFormat : struct, IHalfFormat;

    /// <summary>The same into another tensor that is stored so.</summary>
    static abstract void StoreTo<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, ArrayView<float> target, int row0, int row1)
        where TFormat : struct, IHalfFormat;

    /// <summary>Two neighbouring elements.</summary>
    static abstract FloatPair Load<TFormat>(TensorCoreAttentionArguments arguments, int at)
        where TFormat : struct, IHalfFormat;

    /// <summary>A factor of gradients, which takes the scale of dOut off where they are not stored scaled.</summary>
    static abstract float Factor<TFormat>(TensorCoreAttentionArguments arguments, float factor)
        where TFormat : struct, IHalfFormat;
}

/// <summary>o in float32.</summary>
internal readonly struct FloatOutput : ITensorCoreOutput
{
    public static string Suffix => "";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1)
        where TFormat : struct, IHalfFormat => TensorCoreTile.StoreRows(sums, arguments.Common.O.Data, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTo<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, ArrayView<float> target, int row0, int row1)
        where TFormat : struct, IHalfFormat => TensorCoreTile.StoreRows(sums, target, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatPair Load<TFormat>(TensorCoreAttentionArguments arguments, int at)
        where TFormat : struct, IHalfFormat => arguments.Common.O.Data.Cast<FloatPair>()[at / 2];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Factor<TFormat>(TensorCoreAttentionArguments arguments, float factor)
        where TFormat : struct, IHalfFormat => TFormat.Times(factor, TFormat.Factor(arguments.Scale, 1, arguments.Scaled));
}

/// <summary>o in 16 bits: half the bytes to write, to keep, and for the next product to read.</summary>
internal readonly struct HalfOutput : ITensorCoreOutput
{
    public static string Suffix => ".stored";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1)
        where TFormat : struct, IHalfFormat => StorePairs<TFormat>(sums, arguments.O, arguments.Overflow, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTo<TFormat>(RowTile sums, TensorCoreAttentionArguments arguments, ArrayView<float> target, int row0, int row1)
        where TFormat : struct, IHalfFormat => StorePairs<TFormat>(sums, target.Cast<uint>(), arguments.Overflow, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs<TFormat>(RowTile sums, ArrayView<uint> target, ArrayView<int> overflow, int row0, int row1)
        where TFormat : struct, IHalfFormat
    {
        int t = Warp.LaneIdx & 3;
        if (row0 >= 0)
        {
            int at = (row0 / 2) + t;
            TFormat.Watch(
                overflow, IntrinsicMath.Max(LargestOfRow(sums.C0, sums.C1, sums.C2, sums.C3), LargestOfRow(sums.C4, sums.C5, sums.C6, sums.C7)));
            target[at] = TFormat.Pack(sums.C0.X, sums.C0.Y);
            target[at + 4] = TFormat.Pack(sums.C1.X, sums.C1.Y);
            target[at + 8] = TFormat.Pack(sums.C2.X, sums.C2.Y);
            target[at + 12] = TFormat.Pack(sums.C3.X, sums.C3.Y);
            target[at + 16] = TFormat.Pack(sums.C4.X, sums.C4.Y);
            target[at + 20] = TFormat.Pack(sums.C5.X, sums.C5.Y);
            target[at + 24] = TFormat.Pack(sums.C6.X, sums.C6.Y);
            target[at + 28] = TFormat.Pack(sums.C7.X, sums.C7.Y);
        }

        if (row1 >= 0)
        {
            int at = (row1 / 2) + t;
            TFormat.Watch(
                overflow,
                IntrinsicMath.Max(LargestOfLowerRow(sums.C0, sums.C1, sums.C2, sums.C3), LargestOfLowerRow(sums.C4, sums.C5, sums.C6, sums.C7)));
            target[at] = TFormat.Pack(sums.C0.Z, sums.C0.W);
            target[at + 4] = TFormat.Pack(sums.C1.Z, sums.C1.W);
            target[at + 8] = TFormat.Pack(sums.C2.Z, sums.C2.W);
            target[at + 12] = TFormat.Pack(sums.C3.Z, sums.C3.W);
            target[at + 16] = TFormat.Pack(sums.C4.Z, sums.C4.W);
            target[at + 20] = TFormat.Pack(sums.C5.Z, sums.C5.W);
            target[at + 24] = TFormat.Pack(sums.C6.Z, sums.C6.W);
            target[at + 28] = TFormat.Pack(sums.C7.Z, sums.C7.W);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatPair Load<TFormat>(TensorCoreAttentionArguments arguments, int at)
        where TFormat : struct, IHalfFormat
    {
        uint both = arguments.O[at / 2];
        FloatPair pair;
        pair.X = TFormat.Low(both);
        pair.Y = TFormat.High(both);
        return pair;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Factor<TFormat>(TensorCoreAttentionArguments arguments, float factor)
        where TFormat : struct, IHalfFormat => factor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LargestOfRow(Accumulator a, Accumulator b, Accumulator c, Accumulator d) => IntrinsicMath.Max(
        IntrinsicMath.Max(Halves4.Largest(a.X, a.Y), Halves4.Largest(b.X, b.Y)),
        IntrinsicMath.Max(Halves4.Largest(c.X, c.Y), Halves4.Largest(d.X, d.Y)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LargestOfLowerRow(Accumulator a, Accumulator b, Accumulator c, Accumulator d) => IntrinsicMath.Max(
        IntrinsicMath.Max(Halves4.Largest(a.Z, a.W), Halves4.Largest(b.Z, b.W)),
        IntrinsicMath.Max(Halves4.Largest(c.Z, c.W), Halves4.Largest(d.Z, d.W)));
}
