using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Attention;

/// <summary>
/// Backward, from recomputed weights: dS = p (f dOut v^T - delta) scale, dQ = dS k, dV = (f p)^T dOut, dK = dS^T q; f are the dropout factors. One
/// kernel holds queries and meets keys, the other holds keys and meets queries: no two work groups write to one place, nothing is atomic.
/// </summary>
internal static class GpuAttentionBackward
{
    /// <summary>Shared memory of <see cref="Delta"/>.</summary>
    internal const int DeltaSharedBytes = 8 * 17 * sizeof(float);

    /// <summary>delta [B, H, Queries] = row sums of dOut * o; 8 rows a group of 128, 16 threads a row.</summary>
    internal static void Delta(GpuAttentionArguments a)
    {
        var partial = SharedMemory.Allocate<float>(8 * 17);
        int tx = Group.IdxX % 16, ty = Group.IdxX / 16, row = (Grid.IdxX * 8) + ty, rows = a.Batch * a.Heads * a.Queries;
        float sum = 0;
        if (row < rows)
        {
            int headIndex = row / a.Queries, query = row - (headIndex * a.Queries);
            int o = GpuAttentionTile.Start(a, a.O, headIndex, 0) + (query * a.O.RowStride);
            int dOut = GpuAttentionTile.Start(a, a.Dout, headIndex, 0) + (query * a.Dout.RowStride);
            if (a.Vector != 0)
            {
                var quadsO = a.O.Data.Cast<Float4>();
                var quadsDout = a.Dout.Data.Cast<Float4>();
                for (int i = 4 * tx; i < a.HeadDim; i += 64)
                {
                    sum = Quad.Dot(sum, quadsO[(o + i) / 4], quadsDout[(dOut + i) / 4]);
                }
            }
            else
            {
                for (int i = tx; i < a.HeadDim; i += 16)
                {
                    sum += a.O.Data[o + i] * a.Dout.Data[dOut + i];
                }
            }
        }

        partial[(ty * 17) + tx] = sum;
        Group.Barrier();
        if (tx == 0 && row < rows)
        {
            float total = 0;
            for (int i = 0; i < 16; i++)
            {
                total += partial[(ty * 17) + i];
            }

            a.Delta[row] = total;
        }
    }

    /// <summary>dQ of a tile of queries.</summary>
    internal static void Queries<TWalk, TTile>(GpuAttentionArguments a)
        where TWalk : struct, IGpuTokenWalk
        where TTile : struct, IGpuTileRows
    {
        var queryTile = SharedMemory.Allocate<Float4>(TTile.Rows * GpuAttentionTile.Stride);
        var dOutTile = SharedMemory.Allocate<Float4>(TTile.Rows * GpuAttentionTile.Stride);
        var keyTile = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * GpuAttentionTile.Stride);
        var valueTile = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * GpuAttentionTile.Stride);
        var gradients = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * ((TTile.Rows / 4) + 1));
        var own = SharedMemory.Allocate<int>(TTile.Rows);
        var other = SharedMemory.Allocate<int>(2 * GpuAttentionTile.Walk);
        int thread = Group.IdxX, tx = thread % 16, ty = thread / 16;
        int outChunk = Grid.IdxX % a.Chunks, rest = Grid.IdxX / a.Chunks;
        int headIndex = rest / a.Tiles, batch = headIndex / a.Heads;
        int tile = a.Tiles - 1 - (rest - (headIndex * a.Tiles));
        int end = TWalk.End(a, batch, tile, TTile.Rows);
        if (thread < TTile.Rows)
        {
            own[thread] = TWalk.Own(a, tile, TTile.Rows, thread);
        }

        if (thread < GpuAttentionTile.Walk)
        {
            other[thread] = thread < end ? TWalk.Other(a, batch, tile, thread) : -1;
        }

        Group.Barrier();
        int i0 = own[4 * ty], i1 = own[(4 * ty) + 1], i2 = own[(4 * ty) + 2], i3 = own[(4 * ty) + 3];
        Float4 logSumExp = GpuAttentionTile.Rows(a.LogSumExp, headIndex * a.Queries, i0, i1, i2, i3);
        Float4 delta = GpuAttentionTile.Rows(a.Delta, headIndex * a.Queries, i0, i1, i2, i3);
        Float4 dq0 = default, dq1 = default, dq2 = default, dq3 = default;
        int current = 0;
        for (int first = 0; first < end; first += GpuAttentionTile.Walk)
        {
            Float4 s0 = default, s1 = default, g0 = default, g1 = default;
            for (int step = 1; step <= a.Chunks; step++)
            {
                int chunk = (outChunk + step) % a.Chunks, columns = a.HeadDim - (chunk * GpuAttentionTile.Columns);
                if (first == 0 || a.Chunks > 1)
                {
                    GpuAttentionTile.Load(a, a.Q, GpuAttentionTile.Start(a, a.Q, headIndex, chunk), columns, own, 0, TTile.Rows, queryTile);
                    GpuAttentionTile.Load(a, a.Dout, GpuAttentionTile.Start(a, a.Dout, headIndex, chunk), columns, own, 0, TTile.Rows, dOutTile);
                }

                GpuAttentionTile.Load(a, a.K, GpuAttentionTile.Start(a, a.K, headIndex, chunk), columns, other, current, GpuAttentionTile.Walk, keyTile);
                GpuAttentionTile.Load(a, a.V, GpuAttentionTile.Start(a, a.V, headIndex, chunk), columns, other, current, GpuAttentionTile.Walk, valueTile);
                Group.Barrier();
                GpuAttentionTile.Products(columns, queryTile, keyTile, tx, ty, s0, s1, out s0, out s1);
                GpuAttentionTile.Products(columns, dOutTile, valueTile, tx, ty, g0, g1, out g0, out g1);
                if (step < a.Chunks)
                {
                    Group.Barrier();
                }
            }

            int j0 = other[current + tx], j1 = other[current + tx + 16];
            if (a.Drops != 0)
            {
                g0 = GpuAttentionTile.DropQueries(a, headIndex, g0, i0, i1, i2, i3, j0);
                g1 = GpuAttentionTile.DropQueries(a, headIndex, g1, i0, i1, i2, i3, j1);
            }

            s0 = Weights(a, s0, logSumExp, i0, i1, i2, i3, j0);
            s1 = Weights(a, s1, logSumExp, i0, i1, i2, i3, j1);
            gradients[(tx * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s0, Quad.Subtract(g0, delta)), a.Scale);
            gradients[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s1, Quad.Subtract(g1, delta)), a.Scale);
            if (thread < GpuAttentionTile.Walk)
            {
                int next = first + GpuAttentionTile.Walk + thread;
                other[GpuAttentionTile.Walk - current + thread] = next < end ? TWalk.Other(a, batch, tile, next) : -1;
            }

            Group.Barrier();
            for (int key = 0; key < GpuAttentionTile.Walk; key++)
            {
                Float4 g = gradients[(key * ((TTile.Rows / 4) + 1)) + ty], k = keyTile[(key * GpuAttentionTile.Stride) + tx];
                dq0 = Quad.Axpy(dq0, g.X, k);
                dq1 = Quad.Axpy(dq1, g.Y, k);
                dq2 = Quad.Axpy(dq2, g.Z, k);
                dq3 = Quad.Axpy(dq3, g.W, k);
            }

            current = GpuAttentionTile.Walk - current;
            Group.Barrier();
        }

        int outColumns = a.HeadDim - (outChunk * GpuAttentionTile.Columns), start = GpuAttentionTile.Start(a, a.Dq, headIndex, outChunk);
        GpuAttentionTile.Save(a, a.Dq, start, outColumns, i0, dq0);
        GpuAttentionTile.Save(a, a.Dq, start, outColumns, i1, dq1);
        GpuAttentionTile.Save(a, a.Dq, start, outColumns, i2, dq2);
        GpuAttentionTile.Save(a, a.Dq, start, outColumns, i3, dq3);
    }

    /// <summary>dK and dV of a tile of keys.</summary>
    internal static void Keys<TWalk, TTile>(GpuAttentionArguments a)
        where TWalk : struct, IGpuTokenWalk
        where TTile : struct, IGpuTileRows
    {
        var keyTile = SharedMemory.Allocate<Float4>(TTile.Rows * GpuAttentionTile.Stride);
        var valueTile = SharedMemory.Allocate<Float4>(TTile.Rows * GpuAttentionTile.Stride);
        var queryTile = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * GpuAttentionTile.Stride);
        var dOutTile = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * GpuAttentionTile.Stride);
        var weights = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * ((TTile.Rows / 4) + 1));
        var gradients = SharedMemory.Allocate<Float4>(GpuAttentionTile.Walk * ((TTile.Rows / 4) + 1));
        var own = SharedMemory.Allocate<int>(TTile.Rows);
        var other = SharedMemory.Allocate<int>(2 * GpuAttentionTile.Walk);
        int thread = Group.IdxX, tx = thread % 16, ty = thread / 16;
        int outChunk = Grid.IdxX % a.Chunks, rest = Grid.IdxX / a.Chunks;
        int headIndex = rest / a.Tiles, batch = headIndex / a.Heads;
        int tile = rest - (headIndex * a.Tiles);
        int begin = TWalk.Start(a, tile, TTile.Rows), end = TWalk.End(a, batch, tile, TTile.Rows);
        if (thread < TTile.Rows)
        {
            own[thread] = TWalk.Own(a, tile, TTile.Rows, thread);
        }

        if (thread < GpuAttentionTile.Walk)
        {
            other[thread] = begin + thread < end ? TWalk.Other(a, batch, tile, begin + thread) : -1;
        }

        Group.Barrier();
        int j0 = own[4 * ty], j1 = own[(4 * ty) + 1], j2 = own[(4 * ty) + 2], j3 = own[(4 * ty) + 3];
        Float4 dk0 = default, dk1 = default, dk2 = default, dk3 = default, dv0 = default, dv1 = default, dv2 = default, dv3 = default;
        int current = 0;
        for (int first = begin; first < end; first += GpuAttentionTile.Walk)
        {
            // Keys 4 ty + {0, 1, 2, 3}, queries tx and tx + 16.
            Float4 s0 = default, s1 = default, g0 = default, g1 = default;
            for (int step = 1; step <= a.Chunks; step++)
            {
                int chunk = (outChunk + step) % a.Chunks, columns = a.HeadDim - (chunk * GpuAttentionTile.Columns);
                if (first == begin || a.Chunks > 1)
                {
                    GpuAttentionTile.Load(a, a.K, GpuAttentionTile.Start(a, a.K, headIndex, chunk), columns, own, 0, TTile.Rows, keyTile);
                    GpuAttentionTile.Load(a, a.V, GpuAttentionTile.Start(a, a.V, headIndex, chunk), columns, own, 0, TTile.Rows, valueTile);
                }

                GpuAttentionTile.Load(a, a.Q, GpuAttentionTile.Start(a, a.Q, headIndex, chunk), columns, other, current, GpuAttentionTile.Walk, queryTile);
                GpuAttentionTile.Load(a, a.Dout, GpuAttentionTile.Start(a, a.Dout, headIndex, chunk), columns, other, current, GpuAttentionTile.Walk, dOutTile);
                Group.Barrier();
                GpuAttentionTile.Products(columns, keyTile, queryTile, tx, ty, s0, s1, out s0, out s1);
                GpuAttentionTile.Products(columns, valueTile, dOutTile, tx, ty, g0, g1, out g0, out g1);
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
                Float4 f0 = GpuAttentionTile.KeyFactors(a, headIndex, i0, j0, j1, j2, j3), f1 = GpuAttentionTile.KeyFactors(a, headIndex, i1, j0, j1, j2, j3);
                g0 = Quad.Multiply(g0, f0);
                g1 = Quad.Multiply(g1, f1);
                w0 = Quad.Multiply(w0, f0);
                w1 = Quad.Multiply(w1, f1);
            }

            weights[(tx * ((TTile.Rows / 4) + 1)) + ty] = w0;
            weights[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = w1;
            gradients[(tx * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s0, Quad.Subtract(g0, delta0)), a.Scale);
            gradients[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = Quad.Scale(Quad.Multiply(s1, Quad.Subtract(g1, delta1)), a.Scale);
            if (thread < GpuAttentionTile.Walk)
            {
                int next = first + GpuAttentionTile.Walk + thread;
                other[GpuAttentionTile.Walk - current + thread] = next < end ? TWalk.Other(a, batch, tile, next) : -1;
            }

            Group.Barrier();
            for (int query = 0; query < GpuAttentionTile.Walk; query++)
            {
                Float4 w = weights[(query * ((TTile.Rows / 4) + 1)) + ty], dOut = dOutTile[(query * GpuAttentionTile.Stride) + tx];
                Float4 g = gradients[(query * ((TTile.Rows / 4) + 1)) + ty], q = queryTile[(query * GpuAttentionTile.Stride) + tx];
                dv0 = Quad.Axpy(dv0, w.X, dOut);
                dv1 = Quad.Axpy(dv1, w.Y, dOut);
                dv2 = Quad.Axpy(dv2, w.Z, dOut);
                dv3 = Quad.Axpy(dv3, w.W, dOut);
                dk0 = Quad.Axpy(dk0, g.X, q);
                dk1 = Quad.Axpy(dk1, g.Y, q);
                dk2 = Quad.Axpy(dk2, g.Z, q);
                dk3 = Quad.Axpy(dk3, g.W, q);
            }

            current = GpuAttentionTile.Walk - current;
            Group.Barrier();
        }

        int outColumns = a.HeadDim - (outChunk * GpuAttentionTile.Columns);
        int startK = GpuAttentionTile.Start(a, a.Dk, headIndex, outChunk), startV = GpuAttentionTile.Start(a, a.Dv, headIndex, outChunk);
        GpuAttentionTile.Save(a, a.Dk, startK, outColumns, j0, dk0);
        GpuAttentionTile.Save(a, a.Dk, startK, outColumns, j1, dk1);
        GpuAttentionTile.Save(a, a.Dk, startK, outColumns, j2, dk2);
        GpuAttentionTile.Save(a, a.Dk, startK, outColumns, j3, dk3);
        GpuAttentionTile.Save(a, a.Dv, startV, outColumns, j0, dv0);
        GpuAttentionTile.Save(a, a.Dv, startV, outColumns, j1, dv1);
        GpuAttentionTile.Save(a, a.Dv, startV, outColumns, j2, dv2);
        GpuAttentionTile.Save(a, a.Dv, startV, outColumns, j3, dv3);
    }

    // Weights of one key and four queries.
    private static Float4 Weights(GpuAttentionArguments a, Float4 scores, Float4 logSumExp, int i0, int i1, int i2, int i3, int key) => new(
        Weight(a, scores.X, logSumExp.X, i0, key), Weight(a, scores.Y, logSumExp.Y, i1, key),
        Weight(a, scores.Z, logSumExp.Z, i2, key), Weight(a, scores.W, logSumExp.W, i3, key));

    // Weights of one query and four keys.
    private static Float4 KeyWeights(GpuAttentionArguments a, Float4 scores, int headIndex, int query, int j0, int j1, int j2, int j3)
    {
        float logSumExp = query < 0 ? 0f : a.LogSumExp[(headIndex * a.Queries) + query];
        return new Float4(
            Weight(a, scores.X, logSumExp, query, j0), Weight(a, scores.Y, logSumExp, query, j1),
            Weight(a, scores.Z, logSumExp, query, j2), Weight(a, scores.W, logSumExp, query, j3));
    }

    private static float Weight(GpuAttentionArguments a, float score, float logSumExp, int query, int key) =>
        query < 0 || key < 0 || (a.Causal != 0 && key > query) ? 0f : MathF.Exp((score * a.Scale) - logSumExp);
}
