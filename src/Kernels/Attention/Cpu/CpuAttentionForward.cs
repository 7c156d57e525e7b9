using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>
/// Forward of one tile of queries of one head, whatever its keys are. Scores are kept transposed, [key][query]: vectors run along the queries, so
/// the softmax needs no sums across lanes, a small number of keys costs no padding, and keys are read where they lie.
/// </summary>
internal static unsafe class CpuAttentionForward<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int KeyTile = AttentionPlan.CpuWalk;

    [SkipLocalsInit]
    internal static void Run<TKeys>(CpuAttentionHead* head, int* queryRows, int queries, TKeys keySource)
        where TKeys : struct, ITokenSource
    {
        int d = head->Dimension;
        int columns = CpuTileProduct<S, V>.PadColumns(d), lanes = CpuTileProduct<S, V>.PadColumns(queries),
            rows = CpuTileProduct<S, V>.PadRows(queries);

        // 16 more scores: a block of six rows may reach past the last query.
        long transposedFloats = (long)d * lanes, scoreFloats = ((long)KeyTile * lanes) + 16, valueFloats = (long)KeyTile * columns,
            outputFloats = (long)rows * columns;
        long floats = CpuScratch.Piece(transposedFloats) + CpuScratch.Piece(scoreFloats) + CpuScratch.Piece(valueFloats)
            + CpuScratch.Piece(outputFloats)
            + (3 * CpuScratch.Piece(lanes + 16)) + 16;
        float* memory = stackalloc float[floats <= AttentionPlan.CpuStackFloats ? (int)floats : 1];
        var scratch = new CpuScratch(floats <= AttentionPlan.CpuStackFloats ? memory : null, floats);
        float* transposed = scratch.Take(transposedFloats);
        float* scores = scratch.Take(scoreFloats);
        float* values = scratch.Take(valueFloats);
        float* output = scratch.Take(outputFloats);
        float* maximum = scratch.Take(lanes + 16);
        float* sum = scratch.Take(lanes + 16);
        float* correction = scratch.Take(lanes + 16);
        float** weightRows = stackalloc float*[rows];
        float** addresses = stackalloc float*[rows > KeyTile ? rows : KeyTile];
        int* keyRows = stackalloc int[KeyTile];

        CpuTilePack<S, V>.Addresses(head->Q, queryRows, queries, addresses);
        CpuTilePack<S, V>.Transpose(addresses, queries, d, head->Scale, transposed);
        CpuTilePack<S, V>.Addresses(scores, 1, queries, weightRows);
        new Span<float>(output, (int)outputFloats).Clear();
        new Span<float>(correction, lanes + 16).Clear();
        new Span<float>(maximum, lanes).Fill(float.MinValue);
        new Span<float>(sum, lanes).Clear();
        int keys;
        while ((keys = keySource.Next(keyRows, KeyTile)) > 0)
        {
            CpuTilePack<S, V>.Addresses(head->K, keyRows, keys, addresses);
            CpuTileProduct<S, V>.Multiply(addresses, 1, keys, transposed, lanes, d, scores, lanes, TileUpdate.Set);
            bool masked = head->Causal && keyRows[keys - 1] > queryRows[0];
            if (masked)
            {
                CpuTileMask.Causal(scores, 1, lanes, queryRows, queries, keyRows, keys, float.MinValue);
            }

            Softmax(scores, keys, lanes, maximum, sum, correction);
            if (masked)
            {
                CpuTileMask.Causal(scores, 1, lanes, queryRows, queries, keyRows, keys, 0f);
            }

            if (head->Dropout.Active)
            {
                CpuTileMask.Drop(ref head->Dropout, scores, 1, lanes, queryRows, queries, keyRows, keys);
            }

            CpuTilePack<S, V>.Addresses(head->V, keyRows, keys, addresses);
            CpuTilePack<S, V>.Panels(addresses, keys, d, values);
            CpuTileProduct<S, V>.Multiply(weightRows, lanes, queries, values, columns, keys, output, columns, TileUpdate.ScaleAdd, correction);
        }

        for (int query = 0; query < queries; query++)
        {
            float* o = head->O.Data + (queryRows[query] * head->O.Stride);
            float* from = output + ((long)query * columns);

            // Where no score is a number above -infinity, the sum is of masked keys: a diverged model must show.
            float inverse = maximum[query] > float.MinValue ? 1f / sum[query] : float.NaN;
            int i = 0;
            for (V inverses = S.Set(inverse); i + S.Count <= d; i += S.Count)
            {
                S.Store(o + i, S.Multiply(S.Load(from + i), inverses));
            }

            for (; i < d; i++)
            {
                o[i] = from[i] * inverse;
            }

            head->LogSumExp[queryRows[query]] = maximum[query] + MathF.Log(sum[query]);
        }

        scratch.Free();
    }

    // Scores become unnormalised weights e^(score - maximum); correction is what older sums are worth after the maximum has grown.
    private static void Softmax(float* scores, int keys, int lanes, float* maximum, float* sum, float* correction)
    {
        for (int lane = 0; lane < lanes; lane += S.Count)
        {
            V before = S.Load(maximum + lane), top = before;
            float* score = scores + lane;
            for (int key = 0; key < keys; key++)
            {
                top = S.Max(top, S.Load(score));
                score += lanes;
            }

            V total = S.Zero;
            score = scores + lane;
            for (int key = 0; key < keys; key++)
            {
                V weight = VectorMath<S, V>.Exp(S.Subtract(S.Load(score), top));
                total = S.Add(total, weight);
                S.Store(score, weight);
                score += lanes;
            }

            V factor = VectorMath<S, V>.Exp(S.Subtract(before, top));
            S.Store(maximum + lane, top);
            S.Store(correction + lane, factor);
            S.Store(sum + lane, S.Fma(S.Load(sum + lane), factor, total));
        }
    }
}
