using Ldvc.Kernels.RouteAttention;

namespace Ldvc.Interop;

/// <summary>
/// Route attention (method.md 5) as ONNX nodes: the windows' descriptors and affinities, the k best windows of each, and from them a bias of 0 or
/// minus infinity for every pair of patches. ONNX has no sparse attention, so all scores are computed and most are masked; the result is the same.
/// </summary>
internal sealed class OnnxRoute(OnnxParts parts, RouteSizes sizes)
{
    /// <summary>q and k [B, N, E] -> what is added to the scores, [B, 1, N, N]; null when every window attends to all.</summary>
    internal string? Bias(string q, string k)
    {
        int windows = sizes.Windows;
        if (sizes.TopK == windows)
        {
            return null;
        }

        OnnxGraph graph = parts.Graph;
        string mean = graph.Constant($"route.mean.{sizes.GridHeight}x{sizes.GridWidth}", Means, windows, sizes.Tokens);
        string queries = graph.Node("MatMul", [mean, q]), keys = graph.Node("MatMul", [mean, k]);
        string affinity = graph.Node("MatMul", [queries, parts.Transpose(keys, 0, 2, 1)]);
        string best = graph.Nodes("TopK", [affinity, graph.Constant(sizes.TopK)], 2, string.Empty, ("axis", -1), ("largest", 1), ("sorted", 1))[1];
        string masked = graph.Node("Expand", [graph.Constant([float.NegativeInfinity], 1), graph.Node("Shape", [affinity])]);
        string open = graph.Node("Expand", [graph.Constant([0f], 1), graph.Node("Shape", [best])]);
        string table = graph.Node("ScatterElements", [masked, best, open], ("axis", 2));
        long[] windowOf = [.. Enumerable.Range(0, sizes.Tokens).Select(token => (long)Window(token))];
        string owner = graph.Constant(windowOf);
        string pairs = graph.Node("Gather", [graph.Node("Gather", [table, owner], ("axis", 1)), owner], ("axis", 2));
        return graph.Node("Unsqueeze", [pairs, graph.Constant(1)]);
    }

    private int Window(int token) =>
        (token / sizes.GridWidth / sizes.WindowHeight * sizes.WindowColumns) + (token % sizes.GridWidth / sizes.WindowWidth);

    // [windows, tokens]: 1 / n in the columns of a window's n tokens. Windows at the border may be smaller.
    private float[] Means()
    {
        int tokens = sizes.Tokens;
        var result = new float[sizes.Windows * tokens];
        var counts = new int[sizes.Windows];
        for (int token = 0; token < tokens; token++)
        {
            counts[Window(token)]++;
        }

        for (int token = 0; token < tokens; token++)
        {
            result[(Window(token) * tokens) + token] = 1f / counts[Window(token)];
        }

        return result;
    }
}
