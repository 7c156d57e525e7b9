namespace Ldvc.Inference;

/// <summary>The best one-to-one assignment of rows to columns (the Hungarian method with potentials, O(n^3)).</summary>
internal static class Assignment
{
    /// <summary>For every row its column, so that the sum of the chosen gains is as large as it can be.</summary>
    /// <param name="gain">[n, n].</param>
    internal static int[] Best(double[,] gain)
    {
        int n = gain.GetLength(0);
        var rowPotential = new double[n + 1];
        var columnPotential = new double[n + 1];

        // Rows and columns count from 1; column 0 holds the row that is being placed.
        var rowOf = new int[n + 1];
        for (int row = 1; row <= n; row++)
        {
            rowOf[0] = row;
            int[] way = Reach(gain, rowPotential, columnPotential, rowOf, out int column);
            while (column != 0)
            {
                rowOf[column] = rowOf[way[column]];
                column = way[column];
            }
        }

        var columnOf = new int[n];
        for (int column = 1; column <= n; column++)
        {
            columnOf[rowOf[column] - 1] = column - 1;
        }

        return columnOf;
    }

    // Dijkstra's search over reduced costs for the nearest free column; the way there says which assignments change.
    private static int[] Reach(double[,] gain, double[] rowPotential, double[] columnPotential, int[] rowOf, out int free)
    {
        int n = rowPotential.Length - 1, at = 0;
        var way = new int[n + 1];
        var nearest = new double[n + 1];
        var done = new bool[n + 1];
        Array.Fill(nearest, double.PositiveInfinity);
        do
        {
            done[at] = true;
            int row = rowOf[at], next = 0;
            double step = double.PositiveInfinity;
            for (int column = 1; column <= n; column++)
            {
                if (done[column])
                {
                    continue;
                }

                double cost = -gain[row - 1, column - 1] - rowPotential[row] - columnPotential[column];
                if (cost < nearest[column])
                {
                    (nearest[column], way[column]) = (cost, at);
                }

                if (nearest[column] < step)
                {
                    (step, next) = (nearest[column], column);
                }
            }

            for (int column = 0; column <= n; column++)
            {
                if (done[column])
                {
                    rowPotential[rowOf[column]] += step;
                    columnPotential[column] -= step;
                }
                else
                {
                    nearest[column] -= step;
                }
            }

            at = next;
        }
        while (rowOf[at] != 0);
        free = at;
        return way;
    }
}
