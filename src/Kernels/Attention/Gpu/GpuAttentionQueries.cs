using ILGPU;
using Ldvc.Kernels.Gpu;
using Tile = Ldvc.Kernels.Attention.Gpu.GpuAttentionTile;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Backward for the queries, from recomputed weights: dS = p (f dOut v^T - delta) scale, dQ = dS k; f are the dropout factors. A work group holds
/// queries and meets keys, <see cref="GpuAttentionKeys"/> holds keys and meets queries: no two groups write to one place, nothing is atomic.
/// </summary>
internal static class GpuAttentionQueries
{
    /// <summary>dQ of a tile of queries.</summary>
    internal static void Run<TWalk, TTile>(GpuAttentionArguments a)
        where TWalk : struct, IGpuTokenWalk
        where TTile : struct, IGpuTileRows
    {
        a = GpuAttentionArguments.Drawn(a);
        var queryTile = SharedMemory.Allocate<Float4>(TTile.Rows * Tile.Stride);
        var dOutTile = SharedMemory.Allocate<Float4>(TTile.Rows * Tile.Stride);
        var keyTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var valueTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var gradients = SharedMemory.Allocate<Float4>(Tile.Walk * ((TTile.Rows / 4) + 1));
        var own = SharedMemory.Allocate<int>(TTile.Rows);
        var other = SharedMemory.Allocate<int>(2 * Tile.Walk);
        int thread = Group.IdxX, tx = thread & 15, ty = thread / 16;
        int outChunk = Grid.IdxX % a.Chunks, rest = Grid.IdxX / a.Chunks;
        int headIndex = rest / a.Tiles, batch = headIndex / a.Heads;
        int tile = a.Tiles - 1 - (rest - (headIndex * a.Tiles));
        int end = TWalk.End(a, batch, tile, TTile.Rows);
        if (thread < TTile.Rows)
        {
            own[thread] = TWalk.Own(a, tile, TTile.Rows, thread);
        }

        if (thread < Tile.Walk)
        {
            other[thread] = thread < end ? TWalk.Other(a, batch, tile, TTile.Rows, thread) : -1;
        }

        Group.Barrier();
        int i0 = own[4 * ty], i1 = own[(4 * ty) + 1], i2 = own[(4 * ty) + 2], i3 = own[(4 * ty) + 3];
        Float4 logSumExp = Tile.Rows(a.LogSumExp, headIndex * a.Queries, i0, i1, i2, i3);
        Float4 delta = Tile.Rows(a.Delta, headIndex * a.Queries, i0, i1, i2, i3);
        Float4 dq0 = default, dq1 = default, dq2 = default, dq3 = default;
        int current = 0;
        for (int first = 0; first < end; first += Tile.Walk)
        {
            Float4 s0 = default, s1 = default, g0 = default, g1 = default;
            for (int step = 1; step <= a.Chunks; step++)
            {
                int chunk = (outChunk + step) % a.Chunks, columns = a.HeadDim - (chunk * Tile.Columns);
                if (first == 0 || a.Chunks > 1)
                {
                    Tile.Load(a, a.Q, Tile.Start(a, a.Q, headIndex, chunk), columns, own, 0, TTile.Rows, queryTile);
                    Tile.Load(a, a.Dout, Tile.Start(a, a.Dout, headIndex, chunk), columns, own, 0, TTile.Rows, dOutTile);
                }

                Tile.Load(a, a.K, Tile.Start(a, a.K, headIndex, chunk), columns, other, current, Tile.Walk, keyTile);
                Tile.Load(a, a.V, Tile.Start(a, a.V, headIndex, chunk), columns, other, current, Tile.Walk, valueTile);
                Group.Barrier();
                Tile.Products(columns, queryTile, keyTile, tx, ty, s0, s1, out s0, out s1);
                Tile.Products(columns, dOutTile, valueTile, tx, ty, g0, g1, out g0, out g1);
                if (step < a.Chunks)
                {
                    Group.Barrier();
                }
            }

            int j0 = other[current + tx], j1 = other[current + tx + 16];
            if (a.Drops != 0)
            {
                g0 = Tile.DropQueries(a, headIndex, g0, i0, i1, i2, i3, j0);
                g1 = Tile.DropQueries(a, headIndex, g1, i0, i1, i2, i3, j1);
            }

            s0 = Weights(a, s0, logSumExp, i0, i1, i2, i3, j0);
            s1 = Weights(a, s1, logSumExp, i0, i1, i2, i3, j1);
            gradients[(tx * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s0, Quad.Subtract(g0, delta)), a.Scale);
            gradients[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s1, Quad.Subtract(g1, delta)), a.Scale);
            if (thread < Tile.Walk)
            {
                int next = first + Tile.Walk + thread;
                other[Tile.Walk - current + thread] = next < end ? TWalk.Other(a, batch, tile, TTile.Rows, next) : -1;
            }

            Group.Barrier();
            for (int key = 0; key < Tile.Walk; key++)
            {
                Float4 g = gradients[(key * ((TTile.Rows / 4) + 1)) + ty], k = keyTile[(key * Tile.Stride) + tx];
                dq0 = Quad.Axpy(dq0, g.X, k);
                dq1 = Quad.Axpy(dq1, g.Y, k);
                dq2 = Quad.Axpy(dq2, g.Z, k);
                dq3 = Quad.Axpy(dq3, g.W, k);
            }

            current = Tile.Walk - current;
            Group.Barrier();
        }

        int outColumns = a.HeadDim - (outChunk * Tile.Columns), start = Tile.Start(a, a.Dq, headIndex, outChunk);
        Tile.Save(a, a.Dq, start, outColumns, i0, dq0);
        Tile.Save(a, a.Dq, start, outColumns, i1, dq1);
        Tile.Save(a, a.Dq, start, outColumns, i2, dq2);
        Tile.Save(a, a.Dq, start, outColumns, i3, dq3);
    }

    // Weights of one key and four queries.
    private static Float4 Weights(GpuAttentionArguments a, Float4 scores, Float4 logSumExp, int i0, int i1, int i2, int i3, int key) => new(
        Tile.Weight(a, scores.X, logSumExp.X, i0, key), Tile.Weight(a, scores.Y, logSumExp.Y, i1, key),
        Tile.Weight(a, scores.Z, logSumExp.Z, i2, key), Tile.Weight(a, scores.W, logSumExp.W, i3, key));
}
