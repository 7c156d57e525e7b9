using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Attention backward, in two kernels so that each sum belongs to one warp and no atomics are needed: dq walks the keys, dk and dv walk the queries.
/// Weights p are recomputed from the scores and the log-sum-exp; with f the dropout factors, dS = p (f dOut v^T - delta), dq = scale dS k,
/// dk = scale dS^T q, dv = (f p)^T dOut. Groups, tiles and pipeline as in the forward.
/// </summary>
internal static class TensorCoreAttentionBackward
{
    /// <summary>dq of 64 queries. Group (x, y, z) = (64 queries, head, picture).</summary>
    internal static void Queries<TOutput, TFormat>(TensorCoreAttentionArguments arguments)
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat
    {
        var p = GpuAttentionArguments.Drawn(arguments.Common);
        var shared = SharedMemory.Allocate1D<Halves8>(TensorCoreAttentionForward.SharedChunks);
        int head = Grid.IdxY, batch = Grid.IdxZ, lane = Warp.LaneIdx;
        int row = (Grid.IdxX * TensorCoreAttentionForward.Tile) + (Group.IdxX / 32 * TensorCoreTile.Rows) + (lane >> 2);
        int keys = p.Causal != 0 ? IntrinsicMath.Min(p.Keys, (Grid.IdxX + 1) * TensorCoreAttentionForward.Tile) : p.Keys;
        int scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        RowFragment q = TensorCoreAttentionForward.LoadRows(arguments.Q, arguments.RowQ, batch, row, head, p.Queries);
        RowFragment dOut = TensorCoreAttentionForward.LoadRows(arguments.Dout, arguments.RowDout, batch, row, head, p.Queries);
        int statistics = ((batch * p.Heads) + head) * p.Queries;
        int at0 = statistics + IntrinsicMath.Min(row, p.Queries - 1), at1 = statistics + IntrinsicMath.Min(row + 8, p.Queries - 1);
        ScoreTile logSumExp = TensorCoreScores.Rows(p.LogSumExp[at0] * TensorCoreScores.Log2E, p.LogSumExp[at1] * TensorCoreScores.Log2E);
        ScoreTile delta = TensorCoreScores.Rows(p.Delta[at0], p.Delta[at1]);
        RowTile dq = default;
        TensorCoreAttentionForward.Load(shared, 0, arguments.K, arguments.RowK, arguments.V, arguments.RowV, batch, head, 0, keys, p.Keys);
        int stage = 0;
        for (int first = 0; first < keys; first += TensorCoreAttentionForward.Tile)
        {
            AsyncCopy.WaitAll();
            Group.Barrier();
            if (first + TensorCoreAttentionForward.Tile < keys)
            {
                TensorCoreAttentionForward.Load(
                    shared,
                    TensorCoreAttentionForward.Stage - stage,
                    arguments.K,
                    arguments.RowK,
                    arguments.V,
                    arguments.RowV,
                    batch,
                    head,
                    first + TensorCoreAttentionForward.Tile,
                    keys,
                    p.Keys);
            }

            dq = QueriesHalf<TFormat>(dq, q, dOut, logSumExp, delta, shared, stage, scoreLane, sumLane, p, row, first, keys);
            dq = QueriesHalf<TFormat>(
                dq,
                q,
                dOut,
                logSumExp,
                delta,
                shared,
                stage + (TensorCoreAttentionForward.TileChunks / 2),
                scoreLane,
                sumLane,
                p,
                row,
                first + TensorCoreTile.Tokens,
                keys);
            stage = TensorCoreAttentionForward.Stage - stage;
        }

        float factor = TOutput.Factor<TFormat>(arguments, p.Scale);
        TensorCoreAttentionForward.Store<TOutput, TFormat>(TensorCoreTile.Scale(dq, factor, factor), arguments, p.Dq, batch, head, row, p.Queries);
    }

    /// <summary>dk and dv of 64 keys. Group (x, y, z) = (64 keys, head, picture).</summary>
    internal static void Keys<TOutput, TFormat>(TensorCoreAttentionArguments arguments)
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat
    {
        var p = GpuAttentionArguments.Drawn(arguments.Common);
        var shared = SharedMemory.Allocate1D<Halves8>(TensorCoreAttentionForward.SharedChunks);
        int head = Grid.IdxY, batch = Grid.IdxZ, lane = Warp.LaneIdx;
        int row = (Grid.IdxX * TensorCoreAttentionForward.Tile) + (Group.IdxX / 32 * TensorCoreTile.Rows) + (lane >> 2);
        int start = p.Causal != 0 ? Grid.IdxX * TensorCoreAttentionForward.Tile : 0;
        int scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        RowFragment k = TensorCoreAttentionForward.LoadRows(arguments.K, arguments.RowK, batch, row, head, p.Keys);
        RowFragment v = TensorCoreAttentionForward.LoadRows(arguments.V, arguments.RowV, batch, row, head, p.Keys);
        RowTile dk = default, dv = default;
        TensorCoreAttentionForward.Load(
            shared, 0, arguments.Q, arguments.RowQ, arguments.Dout, arguments.RowDout, batch, head, start, p.Queries, p.Queries);
        int stage = 0;
        for (int first = start; first < p.Queries; first += TensorCoreAttentionForward.Tile)
        {
            AsyncCopy.WaitAll();
            Group.Barrier();
            if (first + TensorCoreAttentionForward.Tile < p.Queries)
            {
                TensorCoreAttentionForward.Load(
                    shared,
                    TensorCoreAttentionForward.Stage - stage,
                    arguments.Q,
                    arguments.RowQ,
                    arguments.Dout,
                    arguments.RowDout,
                    batch,
                    head,
                    first + TensorCoreAttentionForward.Tile,
                    p.Queries,
                    p.Queries);
            }

            for (int half = 0; half < TensorCoreAttentionForward.Tile; half += TensorCoreTile.Tokens)
            {
                int at = stage + (half * TensorCoreTile.TokenChunks), column = first + half + ((lane & 3) * 2);
                int statistics = ((batch * p.Heads) + head) * p.Queries;
                ScoreTile weights = TensorCoreTile.Scores<TFormat>(k, shared, at, scoreLane);
                weights = TensorCoreScores.Weights(
                    weights,
                    p.Scale * TensorCoreScores.Log2E,
                    TensorCoreScores.Columns(Statistics(p.LogSumExp, statistics, column, p.Queries, TensorCoreScores.Log2E)));
                if (first + half + TensorCoreTile.Tokens > p.Queries || p.Causal != 0)
                {
                    weights = TensorCoreScores.Mask(weights, 0f, row, column, p.Queries, -p.Causal);
                }

                ScoreTile gradient = TensorCoreTile.Scores<TFormat>(v, shared, at + TensorCoreAttentionForward.TileChunks, scoreLane);
                ScoreTile dropped = weights;
                if (p.Drops != 0)
                {
                    ulong number = ((ulong)(statistics + column) * (ulong)p.Keys) + (ulong)row;
                    dropped = TensorCoreScores.Drop(weights, p, number, 1, (ulong)p.Keys);
                    gradient = TensorCoreScores.Drop(gradient, p, number, 1, (ulong)p.Keys);
                }

                dv = TensorCoreTile.Add<TFormat>(dv, dropped, shared, at + TensorCoreAttentionForward.TileChunks, sumLane);
                ScoreTile delta = TensorCoreScores.Columns(Statistics(p.Delta, statistics, column, p.Queries, 1f));
                dk = TensorCoreTile.Add<TFormat>(dk, TensorCoreScores.Gradients(weights, gradient, delta), shared, at, sumLane);
            }

            stage = TensorCoreAttentionForward.Stage - stage;
        }

        AsyncCopy.WaitAll();
        float factor = TOutput.Factor<TFormat>(arguments, p.Scale), one = TOutput.Factor<TFormat>(arguments, 1f);
        TensorCoreAttentionForward.Store<TOutput, TFormat>(TensorCoreTile.Scale(dk, factor, factor), arguments, p.Dk, batch, head, row, p.Keys);
        TensorCoreAttentionForward.Store<TOutput, TFormat>(TensorCoreTile.Scale(dv, one, one), arguments, p.Dv, batch, head, row, p.Keys);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RowTile QueriesHalf<TFormat>(
        RowTile dq,
        RowFragment q,
        RowFragment dOut,
        ScoreTile logSumExp,
        ScoreTile delta,
        ArrayView<Halves8> shared,
        int at,
        int scoreLane,
        int sumLane,
        GpuAttentionArguments p, int row, int first, int keys)
        where TFormat : struct, IHalfFormat
    {
        ScoreTile weights = TensorCoreScores.Weights(
            TensorCoreTile.Scores<TFormat>(q, shared, at, scoreLane), p.Scale * TensorCoreScores.Log2E, logSumExp);
        int column = first + ((Warp.LaneIdx & 3) * 2);
        if (first + TensorCoreTile.Tokens > keys || p.Causal != 0)
        {
            weights = TensorCoreScores.Mask(weights, 0f, row, column, keys, p.Causal);
        }

        ScoreTile gradient = TensorCoreTile.Scores<TFormat>(dOut, shared, at + TensorCoreAttentionForward.TileChunks, scoreLane);
        if (p.Drops != 0)
        {
            ulong number = (ulong)((((Grid.IdxZ * p.Heads) + Grid.IdxY) * p.Queries) + row);
            gradient = TensorCoreScores.Drop(gradient, p, (number * (ulong)p.Keys) + (ulong)column, (ulong)p.Keys, 1);
        }

        return TensorCoreTile.Add<TFormat>(dq, TensorCoreScores.Gradients(weights, gradient, delta), shared, at, sumLane);
    }

    // A lane's columns; those past the end are read as the last one, their weights are masked.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ColumnValues Statistics(ArrayView<float> values, int start, int column, int count, float factor)
    {
        ColumnValues c;
        c.B0 = Pair(values, start, column, count, factor);
        c.B1 = Pair(values, start, column + 8, count, factor);
        c.B2 = Pair(values, start, column + 16, count, factor);
        c.B3 = Pair(values, start, column + 24, count, factor);
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FloatPair Pair(ArrayView<float> values, int start, int column, int count, float factor)
    {
        FloatPair pair;
        pair.X = values[start + IntrinsicMath.Min(column, count - 1)] * factor;
        pair.Y = values[start + IntrinsicMath.Min(column + 1, count - 1)] * factor;
        return pair;
    }
}
