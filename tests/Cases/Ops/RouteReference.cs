namespace Ldvc.Cases.Ops;

/// <summary>Which windows attend to which, written plainly: means over windows, all affinities, the largest k of each row.</summary>
internal sealed class RouteReference(int batch, int width, int gridHeight, int gridWidth, int s, int topK)
{
    private readonly int _windowHeight = (gridHeight + s - 1) / s;
    private readonly int _windowWidth = (gridWidth + s - 1) / s;

    private int Across => (gridWidth + _windowWidth - 1) / _windowWidth;

    private int Windows => (gridHeight + _windowHeight - 1) / _windowHeight * Across;

    /// <summary>Keys that a query sees when all windows are whole.</summary>
    internal double KeysPerQuery => Math.Min(topK, Windows) * (double)gridHeight * gridWidth / Windows;

    /// <summary>The window of a token.</summary>
    internal int Window(int token) => (token / gridWidth / _windowHeight * Across) + (token % gridWidth / _windowWidth);

    /// <summary>All (picture, window, chosen window) for queries and keys [B, tokens, width].</summary>
    internal HashSet<(int Picture, int Window, int Chosen)> Choose(double[] q, double[] k)
    {
        var chosen = new HashSet<(int, int, int)>();
        for (int b = 0; b < batch; b++)
        {
            double[][] queries = Means(q, b), keys = Means(k, b);
            for (int w = 0; w < Windows; w++)
            {
                var best = Enumerable.Range(0, Windows).OrderByDescending(
                    o => queries[w].Zip(keys[o], (x, y) => x * y).Sum()).ThenBy(o => o).Take(topK);
                chosen.UnionWith(best.Select(o => (b, w, o)));
            }
        }

        return chosen;
    }

    private double[][] Means(double[] x, int b)
    {
        double[][] sums = [.. Enumerable.Range(0, Windows).Select(_ => new double[width])];
        var counts = new int[Windows];
        for (int token = 0; token < gridHeight * gridWidth; token++)
        {
            int window = Window(token);
            counts[window]++;
            for (int e = 0; e < width; e++)
            {
                sums[window][e] += x[(((b * gridHeight * gridWidth) + token) * width) + e];
            }
        }

        return [.. sums.Select((sum, w) => Array.ConvertAll(sum, v => v / counts[w]))];
    }
}
