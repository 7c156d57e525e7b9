namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>Causal mask and dropout of a tile of scores or weights, whose element (query, key) is at query * queryStep + key * keyStep.</summary>
internal static unsafe class CpuTileMask
{
    /// <summary>Sets what lies in a query's future; rows ascend.</summary>
    internal static void Causal(float* tile, int queryStep, int keyStep, int* queryRows, int queries, int* keyRows, int keys, float value)
    {
        for (int key = 0; key < keys; key++)
        {
            for (int query = 0; query < queries && queryRows[query] < keyRows[key]; query++)
            {
                tile[(query * queryStep) + (key * keyStep)] = value;
            }
        }
    }

    /// <summary>Multiplies by the dropout factors.</summary>
    internal static void Drop(
        ref CpuWeightDropout dropout, float* tile, int queryStep, int keyStep, int* queryRows, int queries, int* keyRows, int keys)
    {
        for (int query = 0; query < queries; query++)
        {
            for (int key = 0; key < keys; key++)
            {
                tile[(query * queryStep) + (key * keyStep)] *= dropout.Factor(queryRows[query], keyRows[key]);
            }
        }
    }
}
