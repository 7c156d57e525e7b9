using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.RouteAttention.TensorCore;

/// <summary>
/// Route attention forward. A window's queries are few (16 at 512 pixels) and each window has a list of its own, so a warp works alone: 16 queries of
/// one window and head, their sums and softmax in registers, and 32 tokens of the chosen windows at a time in its own double buffer. Lane i looks up
/// the token of position i in the walk; the others get it by shuffles, so the routing table is read once a tile and nothing is gathered into memory.
/// The two warps of a group take neighbouring heads, which read the same tokens. Group (x, y, z) = (tile of a window, two heads, picture).
/// </summary>
internal static class TensorCoreRouteForward
{
    internal const int Warps = RouteAttentionPlan.TensorCoreWarps;

    internal const int Threads = 32 * Warps;

    internal const int TileChunks = TensorCoreTile.Tokens * TensorCoreTile.TokenChunks;

    /// <summary>Chunks of two tiles.</summary>
    internal const int Stage = 2 * TileChunks;

    /// <summary>Two stages a warp.</summary>
    internal const int SharedChunks = Warps * 2 * Stage;

    internal static void Run<TWalk, TFormat>(TensorCoreAttentionArguments arguments)
        where TWalk : struct, IGpuTokenWalk
        where TFormat : struct, IHalfFormat
    {
        var p = arguments.Common;
        var shared = SharedMemory.Allocate1D<Halves8>(SharedChunks);
        int tile = Grid.IdxX, batch = Grid.IdxZ, lane = Warp.LaneIdx, warp = Group.IdxX / 32;
        int head = (Grid.IdxY * Warps) + warp, base0 = warp * 2 * Stage;

        // A warp without a head repeats the last one's work and stores nothing: all lanes meet in the shuffles.
        bool exists = head < p.Heads;
        head = IntrinsicMath.Min(head, p.Heads - 1);
        int own = TWalk.Own(p, tile, TensorCoreTile.Rows, lane & 15), end = TWalk.End(p, batch, tile, TensorCoreTile.Rows);
        int token0 = Warp.Shuffle(own, lane >> 2), token1 = Warp.Shuffle(own, (lane >> 2) + 8);
        RowFragment q = LoadRows(arguments.Q, batch, token0, token1, head, p.Queries, p.Heads);
        int scoreLane = TensorCoreTile.ScoreLane(), sumLane = TensorCoreTile.SumLane();
        float factor = p.Scale * TensorCoreScores.Log2E;
        var state = SoftmaxState.Start();
        int token = Other<TWalk>(p, batch, tile, 0, end), stage = 0;
        Load(shared, base0, arguments.K, arguments.V, batch, head, token, p.Keys, p.Heads);
        for (int first = 0; first < end; first += TensorCoreTile.Tokens)
        {
            int next = Other<TWalk>(p, batch, tile, first + TensorCoreTile.Tokens, end);
            AsyncCopy.WaitAll();
            Warp.Barrier();
            if (first + TensorCoreTile.Tokens < end)
            {
                Load(shared, base0 + Stage - stage, arguments.K, arguments.V, batch, head, next, p.Keys, p.Heads);
            }

            int at = base0 + stage;
            ScoreTile s = Hide(TensorCoreTile.Scores<TFormat>(q, shared, at, scoreLane), token, float.NegativeInfinity);
            state = SoftmaxState.Advance(state, s, factor);
            state.Sum = TensorCoreTile.Add<TFormat>(state.Sum, state.Weights, shared, at + TileChunks, sumLane);
            token = next;
            stage = Stage - stage;
        }

        float total0 = SoftmaxState.RowSum(state.Total0), total1 = SoftmaxState.RowSum(state.Total1);
        Store(TensorCoreTile.Scale(state.Sum, 1f / total0, 1f / total1), p.O, batch, head, exists ? token0 : -1, exists ? token1 : -1);
        if (exists && (lane & 3) == 0)
        {
            int statistics = ((batch * p.Heads) + head) * p.Queries;
            if (token0 >= 0)
            {
                p.LogSumExp[statistics + token0] = (state.Max0 + FastMath.Log2(total0)) * TensorCoreScores.Ln2;
            }

            if (token1 >= 0)
            {
                p.LogSumExp[statistics + token1] = (state.Max1 + FastMath.Log2(total1)) * TensorCoreScores.Ln2;
            }
        }
    }

    /// <summary>The token at this lane's position of the walk, -1 for none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Other<TWalk>(GpuAttentionArguments p, int batch, int tile, int first, int end)
        where TWalk : struct, IGpuTokenWalk
    {
        int position = first + Warp.LaneIdx;
        return position < end ? TWalk.Other(p, batch, tile, TensorCoreTile.Rows, position) : -1;
    }

    /// <summary>Starts the copies of 32 tokens of two matrices, lane i naming the i-th; one that does not exist becomes zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Load(
        ArrayView<Halves8> shared, int at, ArrayView<Halves8> a, ArrayView<Halves8> b, int batch, int head, int token, int tokens, int heads)
    {
        int chunk = Warp.LaneIdx & 7;

        // All lanes take the same rounds and say so: a shuffle needs every one of them.
        for (int first = 0; first < TensorCoreTile.Tokens; first += 4)
        {
            int i = first + (Warp.LaneIdx >> 3);
            int other = Warp.Shuffle(token, i);
            int source = other >= 0 ? (((((batch * tokens) + other) * heads) + head) * TensorCoreTile.TokenChunks) + chunk : 0;
            int target = at + TensorCoreTile.At(i, chunk), bytes = other >= 0 ? 16 : 0;
            AsyncCopy.Copy16(ref shared[target], ref a[source], bytes);
            AsyncCopy.Copy16(ref shared[target + TileChunks], ref b[source], bytes);
        }

        AsyncCopy.Commit();
    }

    /// <summary>The rows of a lane's quad; one that does not exist is read as token 0 and never stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static RowFragment LoadRows(ArrayView<Halves8> matrix, int batch, int token0, int token1, int head, int tokens, int heads)
    {
        const int pairs = TensorCoreTile.HeadDim / 2;
        int row0 = (batch * tokens) + IntrinsicMath.Max(token0, 0), row1 = (batch * tokens) + IntrinsicMath.Max(token1, 0);
        return TensorCoreTile.LoadRows(matrix.Cast<uint>(), ((row0 * heads) + head) * pairs, ((row1 * heads) + head) * pairs);
    }

    /// <summary>Stores the rows of a lane's quad that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(RowTile sums, GpuTokenRows target, int batch, int head, int token0, int token1)
    {
        int first = (batch * target.BatchStride) + (head * TensorCoreTile.HeadDim);
        TensorCoreTile.StoreRows(
            sums, target.Data, token0 >= 0 ? first + (token0 * target.RowStride) : -1, token1 >= 0 ? first + (token1 * target.RowStride) : -1);
    }

    /// <summary>Replaces the columns whose token does not exist, lane i naming the i-th.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Hide(ScoreTile s, int token, float hidden)
    {
        int column = (Warp.LaneIdx & 3) * 2;
        s.C0 = Hide(s.C0, Warp.Shuffle(token, column), Warp.Shuffle(token, column + 1), hidden);
        s.C1 = Hide(s.C1, Warp.Shuffle(token, column + 8), Warp.Shuffle(token, column + 9), hidden);
        s.C2 = Hide(s.C2, Warp.Shuffle(token, column + 16), Warp.Shuffle(token, column + 17), hidden);
        s.C3 = Hide(s.C3, Warp.Shuffle(token, column + 24), Warp.Shuffle(token, column + 25), hidden);
        return s;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Hide(Accumulator c, int left, int right, float hidden)
    {
        c.X = left >= 0 ? c.X : hidden;
        c.Y = right >= 0 ? c.Y : hidden;
        c.Z = left >= 0 ? c.Z : hidden;
        c.W = right >= 0 ? c.W : hidden;
        return c;
    }
}
