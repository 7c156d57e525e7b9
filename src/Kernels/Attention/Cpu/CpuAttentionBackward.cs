using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>
/// Backward of one tile of one head. Weights are recomputed from the scores and the log-sum-exp; with p the dropped weights' source,
/// dS = p (f dOut v^T - delta) scale, dV = (f p)^T dOut, dK = dS^T q, dQ = dS k, f being the dropout factors and delta the row sums of dOut * o.
/// Every element is one chain of multiply-adds over ascending tokens, so tilings that differ in nothing else agree to the bit.
/// </summary>
internal static unsafe class CpuAttentionBackward<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int Chunk = AttentionPlan.CpuWalk;

    /// <summary>delta = row sums of dOut * o.</summary>
    internal static void Delta(CpuAttentionHead* head, int first, int end)
    {
        int d = head->Dimension, vectors = d - (d % S.Count);
        for (int row = first; row < end; row++)
        {
            float* o = head->O.Data + (row * head->O.Stride);
            float* dOut = head->Dout.Data + (row * head->Dout.Stride);
            V sum = S.Zero;
            for (int i = 0; i < vectors; i += S.Count)
            {
                sum = S.Fma(S.Load(o + i), S.Load(dOut + i), sum);
            }

            float total = S.Sum(sum);
            for (int i = vectors; i < d; i++)
            {
                total += o[i] * dOut[i];
            }

            head->Delta[row] = total;
        }
    }

    /// <summary>
    /// dk and dv of one tile of keys, summed over the queries of a source; scores are [query][key]. With dq also its share of dq, which is added to.
    /// </summary>
    [SkipLocalsInit]
    internal static void Keys<TQueries>(CpuAttentionHead* head, int* keyRows, int keys, TQueries querySource, bool addDq)
        where TQueries : struct, ITokenSource
    {
        int d = head->Dimension;
        int columns = CpuTileProduct<S, V>.PadColumns(d), lanes = CpuTileProduct<S, V>.PadColumns(keys), rows = CpuTileProduct<S, V>.PadRows(keys);
        long transposedFloats = (long)d * lanes, outputFloats = (long)rows * columns, chunkFloats = (long)Chunk * columns,
            scoreFloats = ((long)Chunk * lanes) + 16;
        long floats = (2 * CpuScratch.Piece(transposedFloats)) + (3 * CpuScratch.Piece(outputFloats)) + CpuScratch.Piece(chunkFloats)
            + (2 * CpuScratch.Piece(scoreFloats)) + 16;
        float* memory = stackalloc float[floats <= AttentionPlan.CpuStackFloats ? (int)floats : 1];
        var scratch = new CpuScratch(floats <= AttentionPlan.CpuStackFloats ? memory : null, floats);
        float* keysTransposed = scratch.Take(transposedFloats);
        float* valuesTransposed = scratch.Take(transposedFloats);
        float* dk = scratch.Take(outputFloats);
        float* dv = scratch.Take(outputFloats);
        float* keyPanels = scratch.Take(outputFloats);
        float* panels = scratch.Take(chunkFloats);
        float* dq = panels; // the panels of q and dOut have served when dq's turn comes
        float* weights = scratch.Take(scoreFloats);
        float* gradients = scratch.Take(scoreFloats);
        int pointers = rows > Chunk ? rows : Chunk;
        float** weightColumns = stackalloc float*[rows];
        float** gradientColumns = stackalloc float*[rows];
        float** gradientRows = stackalloc float*[Chunk];
        float** addresses = stackalloc float*[pointers];
        int* queryRows = stackalloc int[Chunk];

        CpuTilePack<S, V>.Addresses(head->V, keyRows, keys, addresses);
        CpuTilePack<S, V>.Transpose(addresses, keys, d, 1f, valuesTransposed);
        CpuTilePack<S, V>.Addresses(head->K, keyRows, keys, addresses);
        CpuTilePack<S, V>.Transpose(addresses, keys, d, 1f, keysTransposed);
        if (addDq)
        {
            CpuTilePack<S, V>.Panels(addresses, keys, d, keyPanels);
        }

        CpuTilePack<S, V>.Addresses(weights, 1, keys, weightColumns);
        CpuTilePack<S, V>.Addresses(gradients, 1, keys, gradientColumns);
        new Span<float>(dk, (int)outputFloats).Clear();
        new Span<float>(dv, (int)outputFloats).Clear();
        int queries;
        while ((queries = querySource.Next(queryRows, Chunk)) > 0)
        {
            CpuTilePack<S, V>.Addresses(head->Q, queryRows, queries, addresses);
            CpuTileProduct<S, V>.Multiply(addresses, 1, queries, keysTransposed, lanes, d, weights, lanes, TileUpdate.Set);
            CpuTilePack<S, V>.Panels(addresses, queries, d, panels);
            CpuTilePack<S, V>.Addresses(head->Dout, queryRows, queries, addresses);
            CpuTileProduct<S, V>.Multiply(addresses, 1, queries, valuesTransposed, lanes, d, gradients, lanes, TileUpdate.Set);
            if (head->Dropout.Active)
            {
                CpuTileMask.Drop(ref head->Dropout, gradients, lanes, 1, queryRows, queries, keyRows, keys);
            }

            for (int query = 0; query < queries; query++)
            {
                V logSumExp = S.Set(head->LogSumExp[queryRows[query]]), delta = S.Set(head->Delta[queryRows[query]]);
                float* w = weights + (query * lanes);
                float* g = gradients + (query * lanes);
                for (int lane = 0; lane < lanes; lane += S.Count)
                {
                    Gradient(w + lane, g + lane, logSumExp, delta, head->Scale);
                }
            }

            if (head->Causal && keyRows[keys - 1] > queryRows[0])
            {
                CpuTileMask.Causal(weights, lanes, 1, queryRows, queries, keyRows, keys, 0f);
                CpuTileMask.Causal(gradients, lanes, 1, queryRows, queries, keyRows, keys, 0f);
            }

            if (head->Dropout.Active)
            {
                CpuTileMask.Drop(ref head->Dropout, weights, lanes, 1, queryRows, queries, keyRows, keys);
            }

            CpuTileProduct<S, V>.Multiply(gradientColumns, lanes, keys, panels, columns, queries, dk, columns, TileUpdate.Add);
            CpuTilePack<S, V>.Panels(addresses, queries, d, panels);
            CpuTileProduct<S, V>.Multiply(weightColumns, lanes, keys, panels, columns, queries, dv, columns, TileUpdate.Add);
            if (addDq)
            {
                CpuTilePack<S, V>.Addresses(gradients, lanes, queries, gradientRows);
                CpuTilePack<S, V>.Addresses(head->Dq, queryRows, queries, addresses);
                CpuTilePack<S, V>.Load(addresses, queries, d, dq, columns);
                CpuTileProduct<S, V>.Multiply(gradientRows, 1, queries, keyPanels, columns, keys, dq, columns, TileUpdate.Add);
                CpuTilePack<S, V>.Save(dq, columns, queries, d, head->Dq, queryRows);
            }
        }

        CpuTilePack<S, V>.Save(dk, columns, keys, d, head->Dk, keyRows);
        CpuTilePack<S, V>.Save(dv, columns, keys, d, head->Dv, keyRows);
        scratch.Free();
    }

    /// <summary>dq of one tile of queries, summed over the keys of a source; scores are [key][query].</summary>
    [SkipLocalsInit]
    internal static void Queries<TKeys>(CpuAttentionHead* head, int* queryRows, int queries, TKeys keySource)
        where TKeys : struct, ITokenSource
    {
        int d = head->Dimension;
        int columns = CpuTileProduct<S, V>.PadColumns(d), lanes = CpuTileProduct<S, V>.PadColumns(queries),
            rows = CpuTileProduct<S, V>.PadRows(queries);
        long transposedFloats = (long)d * lanes, outputFloats = (long)rows * columns, chunkFloats = (long)Chunk * columns,
            scoreFloats = ((long)Chunk * lanes) + 16;
        long floats = (2 * CpuScratch.Piece(transposedFloats)) + CpuScratch.Piece(outputFloats) + CpuScratch.Piece(chunkFloats)
            + (2 * CpuScratch.Piece(scoreFloats)) + (2 * CpuScratch.Piece(lanes)) + 16;
        float* memory = stackalloc float[floats <= AttentionPlan.CpuStackFloats ? (int)floats : 1];
        var scratch = new CpuScratch(floats <= AttentionPlan.CpuStackFloats ? memory : null, floats);
        float* queriesTransposed = scratch.Take(transposedFloats);
        float* dOutTransposed = scratch.Take(transposedFloats);
        float* dq = scratch.Take(outputFloats);
        float* panels = scratch.Take(chunkFloats);
        float* weights = scratch.Take(scoreFloats);
        float* gradients = scratch.Take(scoreFloats);
        float* logSumExp = scratch.Take(lanes);
        float* delta = scratch.Take(lanes);
        int pointers = rows > Chunk ? rows : Chunk;
        float** gradientColumns = stackalloc float*[rows];
        float** addresses = stackalloc float*[pointers];
        int* keyRows = stackalloc int[Chunk];

        CpuTilePack<S, V>.Addresses(head->Q, queryRows, queries, addresses);
        CpuTilePack<S, V>.Transpose(addresses, queries, d, 1f, queriesTransposed);
        CpuTilePack<S, V>.Addresses(head->Dout, queryRows, queries, addresses);
        CpuTilePack<S, V>.Transpose(addresses, queries, d, 1f, dOutTransposed);
        CpuTilePack<S, V>.Addresses(gradients, 1, queries, gradientColumns);
        new Span<float>(dq, (int)outputFloats).Clear();
        for (int query = 0; query < lanes; query++)
        {
            logSumExp[query] = query < queries ? head->LogSumExp[queryRows[query]] : 0f;
            delta[query] = query < queries ? head->Delta[queryRows[query]] : 0f;
        }

        int keys;
        while ((keys = keySource.Next(keyRows, Chunk)) > 0)
        {
            CpuTilePack<S, V>.Addresses(head->V, keyRows, keys, addresses);
            CpuTileProduct<S, V>.Multiply(addresses, 1, keys, dOutTransposed, lanes, d, gradients, lanes, TileUpdate.Set);
            CpuTilePack<S, V>.Addresses(head->K, keyRows, keys, addresses);
            CpuTileProduct<S, V>.Multiply(addresses, 1, keys, queriesTransposed, lanes, d, weights, lanes, TileUpdate.Set);
            if (head->Dropout.Active)
            {
                CpuTileMask.Drop(ref head->Dropout, gradients, 1, lanes, queryRows, queries, keyRows, keys);
            }

            for (int key = 0; key < keys; key++)
            {
                float* w = weights + (key * lanes);
                float* g = gradients + (key * lanes);
                for (int lane = 0; lane < lanes; lane += S.Count)
                {
                    Gradient(w + lane, g + lane, S.Load(logSumExp + lane), S.Load(delta + lane), head->Scale);
                }
            }

            if (head->Causal && keyRows[keys - 1] > queryRows[0])
            {
                CpuTileMask.Causal(gradients, 1, lanes, queryRows, queries, keyRows, keys, 0f);
            }

            CpuTilePack<S, V>.Panels(addresses, keys, d, panels);
            CpuTileProduct<S, V>.Multiply(gradientColumns, lanes, queries, panels, columns, keys, dq, columns, TileUpdate.Add);
        }

        CpuTilePack<S, V>.Save(dq, columns, queries, d, head->Dq, queryRows);
        scratch.Free();
    }

    // Score -> weight, and gradient of the weight -> gradient of the score, in place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gradient(float* weight, float* gradient, V logSumExp, V delta, float scale)
    {
        V p = VectorMath<S, V>.Exp(S.Subtract(S.Multiply(S.Load(weight), S.Set(scale)), logSumExp));
        S.Store(weight, p);
        S.Store(gradient, S.Multiply(S.Multiply(p, S.Set(scale)), S.Subtract(S.Load(gradient), delta)));
    }
}
