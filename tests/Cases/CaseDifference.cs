namespace Ldvc.Cases;

/// <summary>How far a computed array is from the expected one.</summary>
/// <param name="What">Case and array.</param>
/// <param name="Element">The worst element.</param>
/// <param name="Expected">Its expected value.</param>
/// <param name="Actual">Its computed value.</param>
/// <param name="Relative">Its error, relative to the array's largest expected value.</param>
/// <param name="Allowed">The bound of that error.</param>
internal sealed record CaseDifference(string What, int Element, double Expected, double Actual, double Relative, double Allowed)
{
    /// <summary>Whether the error is within its bound; a NaN never is.</summary>
    internal bool Passed => Relative <= Allowed;

    /// <summary>Compares element by element.</summary>
    /// <param name="what">Case and array.</param>
    /// <param name="expected">Expected values.</param>
    /// <param name="actual">Computed values.</param>
    /// <param name="allowed">Bound of the error relative to the largest expected value.</param>
    /// <param name="floor">The largest expected value counts as at least this.</param>
    internal static CaseDifference Of(string what, ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double allowed, double floor = 0)
    {
        if (expected.Length != actual.Length)
        {
            return new CaseDifference($"{what}, number of values", 0, expected.Length, actual.Length, double.PositiveInfinity, allowed);
        }

        double largest = floor, worst = -1;
        int at = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            double error = Math.Abs(expected[i] - actual[i]);
            if (!(error <= worst))
            {
                (worst, at) = (error, i);
                if (double.IsNaN(error))
                {
                    break;
                }
            }
        }

        return expected.Length == 0
            ? new CaseDifference(what, 0, 0, 0, 0, allowed)
            : new CaseDifference(what, at, expected[at], actual[at], worst == 0 ? 0 : worst / largest, allowed);
    }

    /// <summary>Compares float32 results.</summary>
    internal static CaseDifference Of(string what, ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double allowed, double floor = 0)
    {
        var values = new double[actual.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = actual[i];
        }

        return Of(what, expected, values, allowed, floor);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{What}[{Element}]: expected {Expected:g9}, got {Actual:g9}, relative error {Relative:e2}, allowed {Allowed:e1}";
}
