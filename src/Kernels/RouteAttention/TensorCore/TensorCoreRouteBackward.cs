using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.RouteAttention.TensorCore;

/// <summary>Route attention backward: as plain attention's, with a warp working alone as in the route's forward.</summary>
internal static class TensorCoreRouteBackward
{
    /// <summary>dq of 16 queries of a window, walking the windows that it chose. Group (x, y, z) = (tile of a window, two heads, picture).</summary>
    internal static void Queries<TWalk, TFormat>(TensorCoreAttentionArguments arguments)
        where TWalk : struct, IGpuTokenWalk
        where TFormat : struct, IHalfFormat
    {
        var p = arguments.Common;
        var shared = SharedMemory.Allocate1D<Halves8>(TensorCoreRouteForward.SharedChunks);
        int tile = Grid.IdxX, batch = Grid.IdxZ, lane = Warp.LaneIdx, warp = Group.IdxX / 32;
        int head = (Grid.IdxY * TensorCoreRouteForward.Warps) + warp, base0 = warp * 2 * TensorCoreRouteForward.Stage;
        bool exists = head < p.Heads;
        head = IntrinsicMath.Min(head, p.Heads - 1);
        int own = TWalk.Own(p, tile, TensorCoreTile.Rows, lane & 15), end = TWalk.End(p, batch, tile, TensorCoreTile.Rows);
        int token0 = Warp.Shuffle(own, lane >> 2), token1 = Warp.Shuffle(own, (lane >> 2) + 8);
        RowFragment q = TensorCoreRouteForward.LoadRows(arguments.Q, batch, token0, token1, head, p.Queries, p.Heads);
        RowFragment dOut = TensorCoreRouteForward.LoadRows(arguments.Dout, batch, token0, token1, head, p.Queries, p.Heads);
        int statistics = ((batch * p.Heads) + head) * p.Queries;
        int at0 = statistics + IntrinsicMath.Max(token0, 0), at1 = statistics + IntrinsicMath.Max(token1, 0);
        ScoreTile logSumExp = TensorCoreScores.Rows(p.LogSumExp[at0] * TensorCoreScores.Log2E, p.LogSumExp[at1] * TensorCoreScores.Log2E);
        ScoreTile delta = TensorCoreScores.Rows(p.Delta[at0], p.Delta[at1]);
        int scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        RowTile dq = default;
        int token = TensorCoreRouteForward.Other<TWalk>(p, batch, tile, 0, end), stage = 0;
        TensorCoreRouteForward.Load(shared, base0, arguments.K, arguments.V, batch, head, token, p.Keys, p.Heads);
        for (int first = 0; first < end; first += TensorCoreTile.Tokens)
        {
            int next = TensorCoreRouteForward.Other<TWalk>(p, batch, tile, first + TensorCoreTile.Tokens, end);
            AsyncCopy.WaitAll();
            Warp.Barrier();
            if (first + TensorCoreTile.Tokens < end)
            {
                TensorCoreRouteForward.Load(
                    shared, base0 + TensorCoreRouteForward.Stage - stage, arguments.K, arguments.V, batch, head, next, p.Keys, p.Heads);
            }

            int at = base0 + stage;
            ScoreTile weights = TensorCoreScores.Weights(
                TensorCoreTile.Scores<TFormat>(q, shared, at, scoreLane), p.Scale * TensorCoreScores.Log2E, logSumExp);
            weights = TensorCoreRouteForward.Hide(weights, token, 0f);
            ScoreTile gradient = TensorCoreTile.Scores<TFormat>(dOut, shared, at + TensorCoreRouteForward.TileChunks, scoreLane);
            dq = TensorCoreTile.Add<TFormat>(dq, TensorCoreScores.Gradients(weights, gradient, delta), shared, at, sumLane);
            token = next;
            stage = TensorCoreRouteForward.Stage - stage;
        }

        float factor = FloatOutput.Factor<TFormat>(arguments, p.Scale);
        TensorCoreRouteForward.Store(TensorCoreTile.Scale(dq, factor, factor), p.Dq, batch, head, exists ? token0 : -1, exists ? token1 : -1);
    }

    /// <summary>dk and dv of 16 keys of a window, walking the windows that chose it: the inverse list makes atomics unnecessary.</summary>
    internal static void Keys<TWalk, TFormat>(TensorCoreAttentionArguments arguments)
        where TWalk : struct, IGpuTokenWalk
        where TFormat : struct, IHalfFormat
    {
        var p = arguments.Common;
        var shared = SharedMemory.Allocate1D<Halves8>(TensorCoreRouteForward.SharedChunks);
        int tile = Grid.IdxX, batch = Grid.IdxZ, lane = Warp.LaneIdx, warp = Group.IdxX / 32;
        int head = (Grid.IdxY * TensorCoreRouteForward.Warps) + warp, base0 = warp * 2 * TensorCoreRouteForward.Stage;
        bool exists = head < p.Heads;
        head = IntrinsicMath.Min(head, p.Heads - 1);
        int own = TWalk.Own(p, tile, TensorCoreTile.Rows, lane & 15), end = TWalk.End(p, batch, tile, TensorCoreTile.Rows);
        int token0 = Warp.Shuffle(own, lane >> 2), token1 = Warp.Shuffle(own, (lane >> 2) + 8);
        RowFragment k = TensorCoreRouteForward.LoadRows(arguments.K, batch, token0, token1, head, p.Keys, p.Heads);
        RowFragment v = TensorCoreRouteForward.LoadRows(arguments.V, batch, token0, token1, head, p.Keys, p.Heads);
        int statistics = ((batch * p.Heads) + head) * p.Queries, scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        RowTile dk = default, dv = default;
        int token = TensorCoreRouteForward.Other<TWalk>(p, batch, tile, 0, end), stage = 0;
        TensorCoreRouteForward.Load(shared, base0, arguments.Q, arguments.Dout, batch, head, token, p.Queries, p.Heads);
        for (int first = 0; first < end; first += TensorCoreTile.Tokens)
        {
            int next = TensorCoreRouteForward.Other<TWalk>(p, batch, tile, first + TensorCoreTile.Tokens, end);
            float logSumExp = p.LogSumExp[statistics + IntrinsicMath.Max(token, 0)] * TensorCoreScores.Log2E,
                delta = p.Delta[statistics + IntrinsicMath.Max(token, 0)];
            AsyncCopy.WaitAll();
            Warp.Barrier();
            if (first + TensorCoreTile.Tokens < end)
            {
                TensorCoreRouteForward.Load(
                    shared, base0 + TensorCoreRouteForward.Stage - stage, arguments.Q, arguments.Dout, batch, head, next, p.Queries, p.Heads);
            }

            int at = base0 + stage;
            ScoreTile weights = TensorCoreScores.Weights(
                TensorCoreTile.Scores<TFormat>(k, shared, at, scoreLane), p.Scale * TensorCoreScores.Log2E, Columns(logSumExp));
            weights = TensorCoreRouteForward.Hide(weights, token, 0f);
            dv = TensorCoreTile.Add<TFormat>(dv, weights, shared, at + TensorCoreRouteForward.TileChunks, sumLane);
            ScoreTile gradient = TensorCoreTile.Scores<TFormat>(v, shared, at + TensorCoreRouteForward.TileChunks, scoreLane);
            dk = TensorCoreTile.Add<TFormat>(dk, TensorCoreScores.Gradients(weights, gradient, Columns(delta)), shared, at, sumLane);
            token = next;
            stage = TensorCoreRouteForward.Stage - stage;
        }

        // A window that nobody chose has had its first, empty tile loaded.
        AsyncCopy.WaitAll();
        float factor = FloatOutput.Factor<TFormat>(arguments, p.Scale), one = FloatOutput.Factor<TFormat>(arguments, 1f);
        TensorCoreRouteForward.Store(TensorCoreTile.Scale(dk, factor, factor), p.Dk, batch, head, exists ? token0 : -1, exists ? token1 : -1);
        TensorCoreRouteForward.Store(TensorCoreTile.Scale(dv, one, one), p.Dv, batch, head, exists ? token0 : -1, exists ? token1 : -1);
    }

    // Lane i holds the value of column i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ScoreTile Columns(float value)
    {
        int column = (Warp.LaneIdx & 3) * 2;
        ColumnValues c;
        c.B0 = Pair(value, column);
        c.B1 = Pair(value, column + 8);
        c.B2 = Pair(value, column + 16);
        c.B3 = Pair(value, column + 24);
        return TensorCoreScores.Columns(c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FloatPair Pair(float value, int lane)
    {
        FloatPair pair;
        pair.X = Warp.Shuffle(value, lane);
        pair.Y = Warp.Shuffle(value, lane + 1);
        return pair;
    }
}
