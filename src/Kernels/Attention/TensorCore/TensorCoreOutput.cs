using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>How o is stored, which the forward writes and delta reads, or the gradients that the backward writes; offsets are in elements and even.</summary>
internal interface ITensorCoreOutput
{
    /// <summary>Suffix of the names of kernels for it.</summary>
    static abstract string Suffix { get; }

    /// <summary>Stores the rows of a lane's quad that exist; row0 and row1 as in <see cref="TensorCoreTile.StoreRows"/>.</summary>
    static abstract void Store(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1);

    /// <summary>The same into another tensor that is stored so.</summary>
    static abstract void StoreTo(RowTile sums, ArrayView<float> target, int row0, int row1);

    /// <summary>Two neighbouring elements.</summary>
    static abstract FloatPair Load(TensorCoreAttentionArguments arguments, int at);
}

/// <summary>o in float32.</summary>
internal readonly struct FloatOutput : ITensorCoreOutput
{
    public static string Suffix => "";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1) =>
        TensorCoreTile.StoreRows(sums, arguments.Common.O.Data, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTo(RowTile sums, ArrayView<float> target, int row0, int row1) => TensorCoreTile.StoreRows(sums, target, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatPair Load(TensorCoreAttentionArguments arguments, int at) => arguments.Common.O.Data.Cast<FloatPair>()[at / 2];
}

/// <summary>o in bf16: half the bytes to write, to keep, and for the next product to read.</summary>
internal readonly struct Bf16Output : ITensorCoreOutput
{
    public static string Suffix => ".stored";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RowTile sums, TensorCoreAttentionArguments arguments, int row0, int row1) => StorePairs(sums, arguments.O, row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTo(RowTile sums, ArrayView<float> target, int row0, int row1) => StorePairs(sums, target.Cast<uint>(), row0, row1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(RowTile sums, ArrayView<uint> target, int row0, int row1)
    {
        int t = Warp.LaneIdx & 3;
        if (row0 >= 0)
        {
            int at = (row0 / 2) + t;
            target[at] = Bf16.Pack(sums.C0.X, sums.C0.Y);
            target[at + 4] = Bf16.Pack(sums.C1.X, sums.C1.Y);
            target[at + 8] = Bf16.Pack(sums.C2.X, sums.C2.Y);
            target[at + 12] = Bf16.Pack(sums.C3.X, sums.C3.Y);
            target[at + 16] = Bf16.Pack(sums.C4.X, sums.C4.Y);
            target[at + 20] = Bf16.Pack(sums.C5.X, sums.C5.Y);
            target[at + 24] = Bf16.Pack(sums.C6.X, sums.C6.Y);
            target[at + 28] = Bf16.Pack(sums.C7.X, sums.C7.Y);
        }

        if (row1 >= 0)
        {
            int at = (row1 / 2) + t;
            target[at] = Bf16.Pack(sums.C0.Z, sums.C0.W);
            target[at + 4] = Bf16.Pack(sums.C1.Z, sums.C1.W);
            target[at + 8] = Bf16.Pack(sums.C2.Z, sums.C2.W);
            target[at + 12] = Bf16.Pack(sums.C3.Z, sums.C3.W);
            target[at + 16] = Bf16.Pack(sums.C4.Z, sums.C4.W);
            target[at + 20] = Bf16.Pack(sums.C5.Z, sums.C5.W);
            target[at + 24] = Bf16.Pack(sums.C6.Z, sums.C6.W);
            target[at + 28] = Bf16.Pack(sums.C7.Z, sums.C7.W);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatPair Load(TensorCoreAttentionArguments arguments, int at)
    {
        uint both = arguments.O[at / 2];
        FloatPair pair;
        pair.X = Bf16.Low(both);
        pair.Y = Bf16.High(both);
        return pair;
    }
}
