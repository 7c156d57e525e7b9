using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>How a group's tile of C is cut into warps. All loops over it are written out: what a loop indexes would leave the registers.</summary>
internal interface IGemmTile<T>
    where T : struct
{
    /// <summary>Rows of C a group.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of C a group.</summary>
    static abstract int Columns { get; }

    /// <summary>Rows of C a warp; a warp always has <see cref="Strip.Columns"/> columns.</summary>
    static abstract int WarpRows { get; }

    /// <summary>Threads of the group.</summary>
    static abstract int Threads { get; }

    /// <summary>Adds two chunks of the sum, number half of a stage; lane is A's <see cref="IOperandLayout.LaneA"/>.</summary>
    static abstract T Step<TA, TNumber>(T c, ArrayView<Halves8> shared, int at, int lane, int half, Registers4 b0, Registers4 b1)
        where TA : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber;

    /// <summary>Puts the warp's part of C into shared memory for the epilogue.</summary>
    static abstract void Stage(T c, ArrayView<Halves8> shared, int row, int column);
}

/// <summary>16 x 32 of C: four accumulators of mma side by side.</summary>
internal struct Strip
{
    /// <summary>Columns of a warp.</summary>
    internal const int Columns = MatMulTiles.WarpColumns;

    public Accumulator C0;
    public Accumulator C1;
    public Accumulator C2;
    public Accumulator C3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Strip Multiply<TNumber>(Strip c, Registers4 a, Registers4 b0, Registers4 b1)
        where TNumber : struct, ITensorCoreNumber
    {
        Strip d;
        d.C0 = TNumber.Multiply(c.C0, a, b0.X, b0.Y);
        d.C1 = TNumber.Multiply(c.C1, a, b0.Z, b0.W);
        d.C2 = TNumber.Multiply(c.C2, a, b1.X, b1.Y);
        d.C3 = TNumber.Multiply(c.C3, a, b1.Z, b1.W);
        return d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Stage(Strip c, ArrayView<Halves8> shared, int rowFloats, int row, int column)
    {
        TensorCoreEpilogue.Stage(shared, rowFloats, row, column, c.C0);
        TensorCoreEpilogue.Stage(shared, rowFloats, row, column + 8, c.C1);
        TensorCoreEpilogue.Stage(shared, rowFloats, row, column + 16, c.C2);
        TensorCoreEpilogue.Stage(shared, rowFloats, row, column + 24, c.C3);
    }
}

/// <summary>64 x 64 by four warps of 32 x 32: for products too small to fill the card with larger tiles.</summary>
internal struct SmallTile : IGemmTile<SmallTile>
{
    public Strip Upper;
    public Strip Lower;

    public static int Rows => MatMulPlan.SmallEdge;

    public static int Columns => MatMulPlan.SmallEdge;

    public static int WarpRows => MatMulTiles.SmallWarpRows;

    public static int Threads => MatMulTiles.SmallThreads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SmallTile Step<TA, TNumber>(SmallTile c, ArrayView<Halves8> shared, int at, int lane, int half, Registers4 b0, Registers4 b1)
        where TA : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber
    {
        SmallTile d;
        d.Upper = Strip.Multiply<TNumber>(c.Upper, TA.FragmentA(shared, at + TA.Block(lane, Rows, 0, half), Rows), b0, b1);
        d.Lower = Strip.Multiply<TNumber>(c.Lower, TA.FragmentA(shared, at + TA.Block(lane, Rows, 1, half), Rows), b0, b1);
        return d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stage(SmallTile c, ArrayView<Halves8> shared, int row, int column)
    {
        Strip.Stage(c.Upper, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.SmallEdge), row, column);
        Strip.Stage(c.Lower, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.SmallEdge), row + MatMulTiles.MmaRows, column);
    }
}

/// <summary>128 x 128 by eight warps of 64 x 32.</summary>
internal struct LargeTile : IGemmTile<LargeTile>
{
    public Strip S0;
    public Strip S1;
    public Strip S2;
    public Strip S3;

    public static int Rows => MatMulPlan.LargeEdge;

    public static int Columns => MatMulPlan.LargeEdge;

    public static int WarpRows => MatMulTiles.LargeWarpRows;

    public static int Threads => MatMulTiles.LargeThreads;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LargeTile Step<TA, TNumber>(LargeTile c, ArrayView<Halves8> shared, int at, int lane, int half, Registers4 b0, Registers4 b1)
        where TA : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber
    {
        LargeTile d;
        d.S0 = Strip.Multiply<TNumber>(c.S0, TA.FragmentA(shared, at + TA.Block(lane, Rows, 0, half), Rows), b0, b1);
        d.S1 = Strip.Multiply<TNumber>(c.S1, TA.FragmentA(shared, at + TA.Block(lane, Rows, 1, half), Rows), b0, b1);
        d.S2 = Strip.Multiply<TNumber>(c.S2, TA.FragmentA(shared, at + TA.Block(lane, Rows, 2, half), Rows), b0, b1);
        d.S3 = Strip.Multiply<TNumber>(c.S3, TA.FragmentA(shared, at + TA.Block(lane, Rows, 3, half), Rows), b0, b1);
        return d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stage(LargeTile c, ArrayView<Halves8> shared, int row, int column)
    {
        Strip.Stage(c.S0, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.LargeEdge), row, column);
        Strip.Stage(c.S1, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.LargeEdge), row + MatMulTiles.MmaRows, column);
        Strip.Stage(c.S2, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.LargeEdge), row + (2 * MatMulTiles.MmaRows), column);
        Strip.Stage(c.S3, shared, TensorCoreEpilogue.RowFloats(MatMulPlan.LargeEdge), row + (3 * MatMulTiles.MmaRows), column);
    }
}
