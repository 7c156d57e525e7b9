namespace Ldvc.Inference;

/// <summary>Numbers the connected regions of a picture of keys: 8-neighbours with equal keys belong together.</summary>
internal static class ConnectedRegions
{
    /// <summary>Region numbers from 0 in the order of their first pixel, -1 where the key is negative.</summary>
    /// <param name="keys">[height, width]; negative means "no region".</param>
    /// <param name="width">Columns.</param>
    /// <param name="regions">[height, width], overwritten.</param>
    /// <returns>How many regions there are.</returns>
    internal static int Label(ReadOnlySpan<long> keys, int width, Span<int> regions)
    {
        if (keys.Length != regions.Length || keys.Length % width != 0)
        {
            throw new ArgumentException($"expected {keys.Length} region numbers in rows of {width}, got {regions.Length}", nameof(regions));
        }

        // Two passes with a union-find forest: a parent is always the smaller provisional number, so one ascending sweep resolves all of them.
        var parents = new List<int>();
        for (int at = 0; at < keys.Length; at++)
        {
            long key = keys[at];
            if (key < 0)
            {
                regions[at] = -1;
                continue;
            }

            int x = at % width, own = -1;
            own = Join(parents, own, x > 0 && keys[at - 1] == key ? regions[at - 1] : -1);
            if (at >= width)
            {
                own = Join(parents, own, x > 0 && keys[at - width - 1] == key ? regions[at - width - 1] : -1);
                own = Join(parents, own, keys[at - width] == key ? regions[at - width] : -1);
                own = Join(parents, own, x + 1 < width && keys[at - width + 1] == key ? regions[at - width + 1] : -1);
            }

            if (own < 0)
            {
                own = parents.Count;
                parents.Add(own);
            }

            regions[at] = own;
        }

        int count = 0;
        var numbers = new int[parents.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = parents[i] == i ? count++ : numbers[parents[i]];
        }

        foreach (ref int region in regions)
        {
            region = region < 0 ? -1 : numbers[region];
        }

        return count;
    }

    private static int Join(List<int> parents, int a, int b)
    {
        if (b < 0)
        {
            return a;
        }

        b = Root(parents, b);
        if (a < 0 || a == b)
        {
            return b;
        }

        a = Root(parents, a);
        (int low, int high) = a < b ? (a, b) : (b, a);
        parents[high] = low;
        return low;
    }

    private static int Root(List<int> parents, int at)
    {
        while (parents[at] != at)
        {
            // Halving the path keeps the trees flat.
            parents[at] = parents[parents[at]];
            at = parents[at];
        }

        return at;
    }
}
