using ILGPU;
using Ldvc.Kernels.Gpu;
using Tile = Ldvc.Kernels.Attention.Gpu.GpuAttentionTile;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Backward for the keys and values: dV = (f p)^T dOut, dK = dS^T q, with the terms of <see cref="GpuAttentionQueries"/>. Rows of a score tile are
/// keys here, and columns queries.
/// </summary>
internal static class GpuAttentionKeys
{
    /// <summary>dK and dV of a tile of keys.</summary>
    internal static void Run<TWalk, TTile>(GpuAttentionArguments a)
        where TWalk : struct, IGpuTokenWalk
        where TTile : struct, IGpuTileRows
    {
        a = GpuAttentionArguments.Drawn(a);
        var keyTile = SharedMemory.Allocate<Float4>(TTile.Rows * Tile.Stride);
        var valueTile = SharedMemory.Allocate<Float4>(TTile.Rows * Tile.Stride);
        var queryTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var dOutTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var weights = SharedMemory.Allocate<Float4>(Tile.Walk * ((TTile.Rows / 4) + 1));
        var gradients = SharedMemory.Allocate<Float4>(Tile.Walk * ((TTile.Rows / 4) + 1));
        var own = SharedMemory.Allocate<int>(TTile.Rows);
        var other = SharedMemory.Allocate<int>(2 * Tile.Walk);
        int thread = Group.IdxX, tx = thread & 15, ty = thread / 16;
        int outChunk = Grid.IdxX % a.Chunks, rest = Grid.IdxX / a.Chunks;
        int headIndex = rest / a.Tiles, batch = headIndex / a.Heads;
        int tile = rest - (headIndex * a.Tiles);
        int begin = TWalk.Start(a, tile, TTile.Rows), end = TWalk.End(a, batch, tile, TTile.Rows);
        if (thread < TTile.Rows)
        {
            own[thread] = TWalk.Own(a, tile, TTile.Rows, thread);
        }

        if (thread < Tile.Walk)
        {
            other[thread] = begin + thread < end ? TWalk.Other(a, batch, tile, TTile.Rows, begin + thread) : -1;
        }

        Group.Barrier();
        int j0 = own[4 * ty], j1 = own[(4 * ty) + 1], j2 = own[(4 * ty) + 2], j3 = own[(4 * ty) + 3];
        Float4 dk0 = default, dk1 = default, dk2 = default, dk3 = default, dv0 = default, dv1 = default, dv2 = default, dv3 = default;
        int current = 0;
        for (int first = begin; first < end; first += Tile.Walk)
        {
            // Keys 4 ty + {0, 1, 2, 3}, queries tx and tx + 16.
            Float4 s0 = default, s1 = default, g0 = default, g1 = default;
            for (int step = 1; step <= a.Chunks; step++)
            {
                int chunk = (outChunk + step) % a.Chunks, columns = a.HeadDim - (chunk * Tile.Columns);
                if (first == begin || a.Chunks > 1)
                {
                    Tile.Load(a, a.K, Tile.Start(a, a.K, headIndex, chunk), columns, own, 0, TTile.Rows, keyTile);
                    Tile.Load(a, a.V, Tile.Start(a, a.V, headIndex, chunk), columns, own, 0, TTile.Rows, valueTile);
                }

                Tile.Load(a, a.Q, Tile.Start(a, a.Q, headIndex, chunk), columns, other, current, Tile.Walk, queryTile);
                Tile.Load(a, a.Dout, Tile.Start(a, a.Dout, headIndex, chunk), columns, other, current, Tile.Walk, dOutTile);
                Group.Barrier();
                Tile.Products(columns, keyTile, queryTile, tx, ty, s0, s1, out s0, out s1);
                Tile.Products(columns, valueTile, dOutTile, tx, ty, g0, g1, out g0, out g1);
                if (step < a.Chunks)
                {
                    Group.Barrier();
                }
            }

            int i0 = other[current + tx], i1 = other[current + tx + 16];
            Float4 w0 = KeyWeights(a, s0, headIndex, i0, j0, j1, j2, j3), w1 = KeyWeights(a, s1, headIndex, i1, j0, j1, j2, j3);
            float delta0 = i0 < 0 ? 0f : a.Delta[(headIndex * a.Queries) + i0], delta1 = i1 < 0 ? 0f : a.Delta[(headIndex * a.Queries) + i1];
            s0 = w0;
            s1 = w1;
            if (a.Drops != 0)
            {
                Float4 f0 = Tile.KeyFactors(a, headIndex, i0, j0, j1, j2, j3), f1 = Tile.KeyFactors(a, headIndex, i1, j0, j1, j2, j3);
                g0 = Quad.Multiply(g0, f0);
                g1 = Quad.Multiply(g1, f1);
                w0 = Quad.Multiply(w0, f0);
                w1 = Quad.Multiply(w1, f1);
            }

            weights[(tx * ((TTile.Rows / 4) + 1)) + ty] = w0;
            weights[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = w1;
            gradients[(tx * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s0, Quad.Subtract(g0, delta0)), a.Scale);
            gradients[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s1, Quad.Subtract(g1, delta1)), a.Scale);
            if (thread < Tile.Walk)
            {
                int next = first + Tile.Walk + thread;
                other[Tile.Walk - current + thread] = next < end ? TWalk.Other(a, batch, tile, TTile.Rows, next) : -1;
            }

            Group.Barrier();
            for (int query = 0; query < Tile.Walk; query++)
            {
                Float4 w = weights[(query * ((TTile.Rows / 4) + 1)) + ty], dOut = dOutTile[(query * Tile.Stride) + tx];
                Float4 g = gradients[(query * ((TTile.Rows / 4) + 1)) + ty], q = queryTile[(query * Tile.Stride) + tx];
                dv0 = Quad.Axpy(dv0, w.X, dOut);
                dv1 = Quad.Axpy(dv1, w.Y, dOut);
                dv2 = Quad.Axpy(dv2, w.Z, dOut);
                dv3 = Quad.Axpy(dv3, w.W, dOut);
                dk0 = Quad.Axpy(dk0, g.X, q);
                dk1 = Quad.Axpy(dk1, g.Y, q);
                dk2 = Quad.Axpy(dk2, g.Z, q);
                dk3 = Quad.Axpy(dk3, g.W, q);
            }

            current = Tile.Walk - current;
            Group.Barrier();
        }

        int outColumns = a.HeadDim - (outChunk * Tile.Columns);
        int startK = Tile.Start(a, a.Dk, headIndex, outChunk), startV = Tile.Start(a, a.Dv, headIndex, outChunk);
        Tile.Save(a, a.Dk, startK, outColumns, j0, dk0);
        Tile.Save(a, a.Dk, startK, outColumns, j1, dk1);
        Tile.Save(a, a.Dk, startK, outColumns, j2, dk2);
        Tile.Save(a, a.Dk, startK, outColumns, j3, dk3);
        Tile.Save(a, a.Dv, startV, outColumns, j0, dv0);
        Tile.Save(a, a.Dv, startV, outColumns, j1, dv1);
        Tile.Save(a, a.Dv, startV, outColumns, j2, dv2);
        Tile.Save(a, a.Dv, startV, outColumns, j3, dv3);
    }

    // Weights of one query and four keys.
    private static Float4 KeyWeights(GpuAttentionArguments a, Float4 scores, int headIndex, int query, int j0, int j1, int j2, int j3)
    {
        float logSumExp = query < 0 ? 0f : a.LogSumExp[(headIndex * a.Queries) + query];
        return new Float4(
            Tile.Weight(a, scores.X, logSumExp, query, j0), Tile.Weight(a, scores.Y, logSumExp, query, j1),
            Tile.Weight(a, scores.Z, logSumExp, query, j2), Tile.Weight(a, scores.W, logSumExp, query, j3));
    }
}
