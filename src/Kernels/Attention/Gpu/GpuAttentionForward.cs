using ILGPU;
using Ldvc.Kernels.Gpu;
using Tile = Ldvc.Kernels.Attention.Gpu.GpuAttentionTile;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Forward: a work group holds a tile of queries of one head and one chunk of output columns, and meets its keys 32 at a time with an online softmax.
/// Weights of a tile go through shared memory, [key][query], because the threads that computed them are not those that need them.
/// </summary>
internal static class GpuAttentionForward
{
    internal static void Run<TWalk, TTile>(GpuAttentionArguments a)
        where TWalk : struct, IGpuTokenWalk
        where TTile : struct, IGpuTileRows
    {
        a = GpuAttentionArguments.Drawn(a);
        var queryTile = SharedMemory.Allocate<Float4>(TTile.Rows * Tile.Stride);
        var keyTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var valueTile = SharedMemory.Allocate<Float4>(Tile.Walk * Tile.Stride);
        var weights = SharedMemory.Allocate<Float4>(Tile.Walk * ((TTile.Rows / 4) + 1));
        var partial = SharedMemory.Allocate<Float4>(TTile.Rows * 4);
        var own = SharedMemory.Allocate<int>(TTile.Rows);
        var other = SharedMemory.Allocate<int>(2 * Tile.Walk);
        int thread = Group.IdxX, tx = thread & 15, ty = thread / 16;
        int outChunk = Grid.IdxX % a.Chunks, rest = Grid.IdxX / a.Chunks;
        int headIndex = rest / a.Tiles, batch = headIndex / a.Heads;

        // Under a causal mask the last tiles have the most keys: they go first.
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
        var maximum = new Float4(float.MinValue, float.MinValue, float.MinValue, float.MinValue);
        Float4 sum = default, o0 = default, o1 = default, o2 = default, o3 = default;
        int current = 0;
        for (int first = 0; first < end; first += Tile.Walk)
        {
            // Scores of queries 4 ty + {0, 1, 2, 3} and keys tx, tx + 16. The chunk loop ends with the output's chunk.
            Float4 s0 = default, s1 = default;
            for (int step = 1; step <= a.Chunks; step++)
            {
                int chunk = (outChunk + step) % a.Chunks, columns = a.HeadDim - (chunk * Tile.Columns);
                if (first == 0 || a.Chunks > 1)
                {
                    Tile.Load(a, a.Q, Tile.Start(a, a.Q, headIndex, chunk), columns, own, 0, TTile.Rows, queryTile);
                }

                Tile.Load(a, a.K, Tile.Start(a, a.K, headIndex, chunk), columns, other, current, Tile.Walk, keyTile);
                if (step == a.Chunks)
                {
                    Tile.Load(a, a.V, Tile.Start(a, a.V, headIndex, chunk), columns, other, current, Tile.Walk, valueTile);
                }

                Group.Barrier();
                Tile.Products(columns, queryTile, keyTile, tx, ty, s0, s1, out s0, out s1);
                if (step < a.Chunks)
                {
                    Group.Barrier();
                }
            }

            int j0 = other[current + tx], j1 = other[current + tx + 16];
            s0 = Mask(a, Quad.Scale(s0, a.Scale), i0, i1, i2, i3, j0);
            s1 = Mask(a, Quad.Scale(s1, a.Scale), i0, i1, i2, i3, j1);
            Tile.Share(partial, TTile.Rows, tx, ty, Quad.Max(s0, s1));
            if (thread < Tile.Walk)
            {
                int next = first + Tile.Walk + thread;
                other[Tile.Walk - current + thread] = next < end ? TWalk.Other(a, batch, tile, TTile.Rows, next) : -1;
            }

            Group.Barrier();
            var top = Quad.Max(maximum, Tile.GatherMaximum(partial, TTile.Rows, ty));
            var correction = Quad.Exp(Quad.Subtract(maximum, top));
            maximum = top;
            s0 = Weights(Quad.Exp(Quad.Subtract(s0, top)), j0);
            s1 = Weights(Quad.Exp(Quad.Subtract(s1, top)), j1);
            sum = Quad.Add(Quad.Multiply(sum, correction), Quad.Add(s0, s1));
            if (a.Drops != 0)
            {
                s0 = Tile.DropQueries(a, headIndex, s0, i0, i1, i2, i3, j0);
                s1 = Tile.DropQueries(a, headIndex, s1, i0, i1, i2, i3, j1);
            }

            weights[(tx * ((TTile.Rows / 4) + 1)) + ty] = s0;
            weights[((tx + 16) * ((TTile.Rows / 4) + 1)) + ty] = s1;
            o0 = Quad.Scale(o0, correction.X);
            o1 = Quad.Scale(o1, correction.Y);
            o2 = Quad.Scale(o2, correction.Z);
            o3 = Quad.Scale(o3, correction.W);
            Group.Barrier();
            for (int key = 0; key < Tile.Walk; key += 2)
            {
                Float4 w = weights[(key * ((TTile.Rows / 4) + 1)) + ty], v = valueTile[(key * Tile.Stride) + tx];
                Float4 w1 = weights[((key + 1) * ((TTile.Rows / 4) + 1)) + ty], v1 = valueTile[((key + 1) * Tile.Stride) + tx];
                o0 = Quad.Axpy(Quad.Axpy(o0, w.X, v), w1.X, v1);
                o1 = Quad.Axpy(Quad.Axpy(o1, w.Y, v), w1.Y, v1);
                o2 = Quad.Axpy(Quad.Axpy(o2, w.Z, v), w1.Z, v1);
                o3 = Quad.Axpy(Quad.Axpy(o3, w.W, v), w1.W, v1);
            }

            current = Tile.Walk - current;
            Group.Barrier();
        }

        // The sums so far are over this thread's keys only.
        Tile.Share(partial, TTile.Rows, tx, ty, sum);
        Group.Barrier();
        sum = Tile.GatherSum(partial, TTile.Rows, ty);
        int outColumns = a.HeadDim - (outChunk * Tile.Columns), start = Tile.Start(a, a.O, headIndex, outChunk);
        Tile.Save(a, a.O, start, outColumns, i0, Quad.Scale(o0, Inverse(maximum.X, sum.X)));
        Tile.Save(a, a.O, start, outColumns, i1, Quad.Scale(o1, Inverse(maximum.Y, sum.Y)));
        Tile.Save(a, a.O, start, outColumns, i2, Quad.Scale(o2, Inverse(maximum.Z, sum.Z)));
        Tile.Save(a, a.O, start, outColumns, i3, Quad.Scale(o3, Inverse(maximum.W, sum.W)));
        if (outChunk == 0 && tx == 0)
        {
            SaveLogSumExp(a, headIndex, i0, maximum.X, sum.X);
            SaveLogSumExp(a, headIndex, i1, maximum.Y, sum.Y);
            SaveLogSumExp(a, headIndex, i2, maximum.Z, sum.Z);
            SaveLogSumExp(a, headIndex, i3, maximum.W, sum.W);
        }
    }

    private static Float4 Mask(GpuAttentionArguments a, Float4 scores, int i0, int i1, int i2, int i3, int key) => new(
        Hidden(a, i0, key) ? float.MinValue : scores.X, Hidden(a, i1, key) ? float.MinValue : scores.Y,
        Hidden(a, i2, key) ? float.MinValue : scores.Z, Hidden(a, i3, key) ? float.MinValue : scores.W);

    private static bool Hidden(GpuAttentionArguments a, int query, int key) => key < 0 || Tile.Hidden(a, query, key);

    // A key that does not exist weighs nothing even where every score so far is the lowest number, as in rows that do not exist.
    private static Float4 Weights(Float4 weights, int key) => key < 0 ? default : weights;

    // Where no score is a number above -infinity, the sum is of masked keys: a diverged model must show.
    private static float Inverse(float maximum, float sum) => maximum > float.MinValue ? 1f / sum : float.NaN;

    private static void SaveLogSumExp(GpuAttentionArguments a, int headIndex, int query, float maximum, float sum)
    {
        if (query >= 0)
        {
            a.LogSumExp[(headIndex * a.Queries) + query] = maximum + MathF.Log(sum);
        }
    }
}
