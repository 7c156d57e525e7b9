namespace Ldvc.Cases.Ops;

/// <summary>Softmax attention written plainly: for every query the weights of the keys it sees, then their sum of values.</summary>
internal static class AttentionReference
{
    /// <summary>q [B, Nq, D], k and v [B, Nk, D] with D = heads * headDim -> [B, Nq, D].</summary>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="batch">B.</param>
    /// <param name="queries">Nq.</param>
    /// <param name="keys">Nk.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headDim">Components a head.</param>
    /// <param name="visible">Whether query i of picture b sees key j.</param>
    /// <param name="dropout">Factor of weight ((b * heads + h) * Nq + i) * Nk + j after the softmax.</param>
    internal static double[] Forward(
        double[] q, double[] k, double[] v, int batch, int queries, int keys, int heads, int headDim, Func<int, int, int, bool> visible,
            Func<long, double>? dropout = null)
    {
        int width = heads * headDim;
        var y = new double[batch * queries * width];
        var weights = new double[keys];
        for (int row = 0; row < batch * heads * queries; row++)
        {
            int b = row / (heads * queries), h = row / queries % heads, i = row % queries;
            int query = (((b * queries) + i) * width) + (h * headDim);
            double sum = 0;
            for (int j = 0; j < keys; j++)
            {
                int key = (((b * keys) + j) * width) + (h * headDim);
                double dot = 0;
                for (int c = 0; c < headDim; c++)
                {
                    dot += q[query + c] * k[key + c];
                }

                weights[j] = visible(b, i, j) ? Math.Exp(dot / Math.Sqrt(headDim)) : 0;
                sum += weights[j];
            }

            for (int j = 0; j < keys; j++)
            {
                int key = (((b * keys) + j) * width) + (h * headDim);
                double weight = weights[j] / sum * (dropout?.Invoke(((long)row * keys) + j) ?? 1);
                for (int c = 0; c < headDim; c++)
                {
                    y[query + c] += weight * v[key + c];
                }
            }
        }

        return y;
    }
}
