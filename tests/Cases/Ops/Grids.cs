namespace Ldvc.Cases.Ops;

/// <summary>Index arithmetic of row-major arrays, written plainly for references.</summary>
internal static class Grids
{
    /// <summary>Number of elements.</summary>
    internal static int Count(int[] sizes) => sizes.Aggregate(1, (a, b) => a * b);

    /// <summary>The index in every dimension of an element.</summary>
    internal static int[] Indices(int[] sizes, int at)
    {
        var indices = new int[sizes.Length];
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            (indices[i], at) = (at % sizes[i], at / sizes[i]);
        }

        return indices;
    }

    /// <summary>The position of an element.</summary>
    internal static int At(int[] sizes, IReadOnlyList<int> indices)
    {
        int at = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            at = (at * sizes[i]) + indices[i];
        }

        return at;
    }

    /// <summary>NumPy's result shape of two shapes.</summary>
    internal static int[] Broadcast(int[] a, int[] b)
    {
        int rank = Math.Max(a.Length, b.Length);
        int[] Padded(int[] sizes) => [.. Enumerable.Repeat(1, rank - sizes.Length), .. sizes];
        return [.. Padded(a).Zip(Padded(b), (x, y) => x == 1 ? y : x)];
    }

    /// <summary>Where the element of an operand lies that an element of the result reads.</summary>
    internal static int Operand(int[] operand, int[] result, int at)
    {
        int[] indices = Indices(result, at)[(result.Length - operand.Length)..];
        return At(operand, [.. indices.Select((index, i) => operand[i] == 1 ? 0 : index)]);
    }

    /// <summary>An element-wise function of broadcast operands.</summary>
    internal static double[] Map(int[][] sizes, double[][] values, Func<double[], double> function)
    {
        int[] result = sizes.Aggregate(Broadcast);
        return [.. Enumerable.Range(0, Count(result)).Select(at => function([.. values.Select((v, i) => v[Operand(sizes[i], result, at)])]))];
    }

    /// <summary>A function of the slices along some axes: the result lists the remaining ones in order.</summary>
    internal static double[] Reduce(int[] sizes, double[] values, int[] axes, Func<IEnumerable<double>, double> function)
    {
        bool[] reduced = [.. sizes.Select((_, i) => axes.Length == 0 || axes.Any(axis => (axis + sizes.Length) % sizes.Length == i))];
        int[] kept = [.. sizes.Select((size, i) => reduced[i] ? 1 : size)];
        return [.. Enumerable.Range(0, values.Length).GroupBy(at => Operand(kept, sizes, at)).OrderBy(group => group.Key)
            .Select(group => function(group.Select(at => values[at])))];
    }
}
