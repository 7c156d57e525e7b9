using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Arguments of the attention kernels: the portable ones', and the inputs in 16 bits, [batch][token][head][64]. Tokens are packed side by side, or
/// lie where another kernel has stored them, q, k and v between each other.
/// </summary>
internal struct TensorCoreAttentionArguments
{
    public GpuAttentionArguments Common;
    public ArrayView<Halves8> Q;
    public ArrayView<Halves8> K;
    public ArrayView<Halves8> V;
    public ArrayView<Halves8> Dout;

    /// <summary>Chunks from token to token; pictures follow each other without gaps.</summary>
    public int RowQ;
    public int RowK;
    public int RowV;
    public int RowDout;

    /// <summary>Pairs of o where it is stored in 16 bits; its strides are those of Common.O.</summary>
    public ArrayView<uint> O;

    /// <summary>What dOut was multiplied with, and its inverse, which gradients in float32 are multiplied with where Scaled is 1.</summary>
    public ArrayView<float> Scale;
    public int Scaled;

    /// <summary>Where numbers that are too large for 16 bits are taken down.</summary>
    public ArrayView<int> Overflow;
}

/// <summary>
/// Attention forward. A group of four warps takes 64 queries of one head, a warp 16 of them: its queries, its sums and its softmax stay in registers.
/// All walk the keys and values together, 64 tokens at a time, double buffered: the copies of the next 64 run while these are multiplied.
/// Group (x, y, z) = (64 queries, head, picture).
/// </summary>
internal static class TensorCoreAttentionForward
{
    internal const int Threads = 32 * Tile / TensorCoreTile.Rows;

    /// <summary>Rows of a group, and tokens of the other side that it loads at a time.</summary>
    internal const int Tile = AttentionPlan.TensorCoreRows;

    /// <summary>Two stages of two tiles.</summary>
    internal const int SharedChunks = 2 * Stage;

    /// <summary>Chunks of two tiles of 64 tokens.</summary>
    internal const int Stage = 2 * TileChunks;

    internal const int TileChunks = Tile * TensorCoreTile.TokenChunks;

    internal static void Run<TOutput, TFormat>(TensorCoreAttentionArguments arguments)
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat
    {
        var p = GpuAttentionArguments.Drawn(arguments.Common);
        var shared = SharedMemory.Allocate1D<Halves8>(SharedChunks);
        int head = Grid.IdxY, batch = Grid.IdxZ, lane = Warp.LaneIdx;
        int row = (Grid.IdxX * Tile) + (Group.IdxX / 32 * TensorCoreTile.Rows) + (lane >> 2);
        int keys = p.Causal != 0 ? IntrinsicMath.Min(p.Keys, (Grid.IdxX + 1) * Tile) : p.Keys;
        float factor = p.Scale * TensorCoreScores.Log2E;
        int scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        RowFragment q = LoadRows(arguments.Q, arguments.RowQ, batch, row, head, p.Queries);
        var state = SoftmaxState.Start();
        Load(shared, 0, arguments.K, arguments.RowK, arguments.V, arguments.RowV, batch, head, 0, keys, p.Keys);
        int stage = 0;
        for (int first = 0; first < keys; first += Tile)
        {
            // The tile has arrived, and everyone is done with the other stage.
            AsyncCopy.WaitAll();
            Group.Barrier();
            if (first + Tile < keys)
            {
                Load(shared, Stage - stage, arguments.K, arguments.RowK, arguments.V, arguments.RowV, batch, head, first + Tile, keys, p.Keys);
            }

            state = Half<TFormat>(state, q, shared, stage, scoreLane, sumLane, p, row, first, keys, factor);
            state = Half<TFormat>(
                state, q, shared, stage + (TileChunks / 2), scoreLane, sumLane, p, row, first + TensorCoreTile.Tokens, keys, factor);
            stage = Stage - stage;
        }

        float total0 = SoftmaxState.RowSum(state.Total0), total1 = SoftmaxState.RowSum(state.Total1);
        int start = Start(p.O, batch, head, row);
        TOutput.Store<TFormat>(
            TensorCoreTile.Scale(
                state.Sum,
                1f / total0,
                1f / total1), arguments, row < p.Queries ? start : -1, row + 8 < p.Queries ? start + (8 * p.O.RowStride) : -1);
        if ((lane & 3) == 0)
        {
            int at = (((batch * p.Heads) + head) * p.Queries) + row;
            if (row < p.Queries)
            {
                p.LogSumExp[at] = (state.Max0 + FastMath.Log2(total0)) * TensorCoreScores.Ln2;
            }

            if (row + 8 < p.Queries)
            {
                p.LogSumExp[at + 8] = (state.Max1 + FastMath.Log2(total1)) * TensorCoreScores.Ln2;
            }
        }
    }

    /// <summary>Stores the rows of a lane's quad, row and row + 8, that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store<TOutput, TFormat>(
        RowTile sums, TensorCoreAttentionArguments arguments, GpuTokenRows target, int batch, int head, int row, int rows)
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat
    {
        int first = Start(target, batch, head, row);
        TOutput.StoreTo<TFormat>(sums, arguments, target.Data, row < rows ? first : -1, row + 8 < rows ? first + (8 * target.RowStride) : -1);
    }

    /// <summary>The rows of a lane's quad, row and row + 8; those past the end are read as the last one and never stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static RowFragment LoadRows(ArrayView<Halves8> matrix, int stride, int batch, int row, int head, int rows)
    {
        int row0 = (batch * rows) + IntrinsicMath.Min(row, rows - 1), row1 = (batch * rows) + IntrinsicMath.Min(row + 8, rows - 1);
        int first = head * TensorCoreTile.TokenChunks;
        return TensorCoreTile.LoadRows(matrix.Cast<uint>(), ((row0 * stride) + first) * 4, ((row1 * stride) + first) * 4);
    }

    /// <summary>Starts the copies of 64 tokens of two matrices; tokens from end on become zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Load(
        ArrayView<Halves8> shared,
        int at,
        ArrayView<Halves8> a,
        int strideA,
        ArrayView<Halves8> b,
        int strideB,
        int batch,
        int head,
        int first,
        int end,
        int tokens)
    {
        for (int i = Group.IdxX; i < TileChunks; i += Threads)
        {
            int token = i / TensorCoreTile.TokenChunks, chunk = i & (TensorCoreTile.TokenChunks - 1);
            bool inside = first + token < end;
            int row = inside ? (batch * tokens) + first + token : 0, column = inside ? (head * TensorCoreTile.TokenChunks) + chunk : 0;
            int target = at + TensorCoreTile.At(token, chunk), bytes = inside ? 16 : 0;
            AsyncCopy.Copy16(ref shared[target], ref a[(row * strideA) + column], bytes);
            AsyncCopy.Copy16(ref shared[target + TileChunks], ref b[(row * strideB) + column], bytes);
        }

        AsyncCopy.Commit();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Start(GpuTokenRows rows, int batch, int head, int row) =>
        (batch * rows.BatchStride) + (row * rows.RowStride) + (head * TensorCoreTile.HeadDim);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SoftmaxState Half<TFormat>(
        SoftmaxState state,
        RowFragment q,
        ArrayView<Halves8> shared,
        int at,
        int scoreLane,
        int sumLane,
        GpuAttentionArguments p,
        int row,
        int first,
        int keys,
        float factor)
        where TFormat : struct, IHalfFormat
    {
        // A half that holds no key is skipped: a row's first tile must show a score.
        if (first >= keys)
        {
            return state;
        }

        ScoreTile s = TensorCoreTile.Scores<TFormat>(q, shared, at, scoreLane);
        int column = first + ((Warp.LaneIdx & 3) * 2);
        if (first + TensorCoreTile.Tokens > keys || p.Causal != 0)
        {
            s = TensorCoreScores.Mask(s, float.NegativeInfinity, row, column, keys, p.Causal);
        }

        state = SoftmaxState.Advance(state, s, factor);
        if (p.Drops != 0)
        {
            ulong rowNumber = (ulong)((((Grid.IdxZ * p.Heads) + Grid.IdxY) * p.Queries) + row);
            state.Weights = TensorCoreScores.Drop(state.Weights, p, (rowNumber * (ulong)p.Keys) + (ulong)column, (ulong)p.Keys, 1);
        }

        state.Sum = TensorCoreTile.Add<TFormat>(state.Sum, state.Weights, shared, at + TileChunks, sumLane);
        return state;
    }
}
