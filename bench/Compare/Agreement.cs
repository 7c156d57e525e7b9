using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare;

/// <summary>Compares two engines' outputs before anything is timed.</summary>
internal static class Agreement
{
    // A gradient that is zero in theory (a key's bias) is rounding noise in both: it is held against the file's largest gradient instead.
    private const double GradientFloor = 1e-4;

    /// <summary>
    /// Largest difference relative to the tensor's largest value, gradients divided by ten; and the tensor's name. A gradient that one side does not
    /// compute counts as zeros.
    /// </summary>
    internal static (double Error, string Tensor) Compare(string ours, string theirs)
    {
        using var a = TensorArchive.Open(ours);
        using var b = TensorArchive.Open(theirs);
        var names = a.Entries.Keys.Union(b.Entries.Keys).Order(StringComparer.Ordinal).ToArray();
        string[] alone = [.. names.Where(n => !IsGradient(n) && !(a.Entries.ContainsKey(n) && b.Entries.ContainsKey(n)))];
        if (alone.Length > 0)
        {
            return (double.PositiveInfinity, $"only one side has {string.Join(", ", alone)}");
        }

        double largestGradient = names.Where(n => IsGradient(n) && a.Entries.ContainsKey(n)).Select(n => Largest(a.ReadFloat32(n)))
            .DefaultIfEmpty(0).Max();
        (double Error, string Tensor) worst = (0, "nothing");
        foreach (string name in names)
        {
            float[] x = a.Entries.ContainsKey(name) ? a.ReadFloat32(name) : new float[b.ReadFloat32(name).Length];
            float[] y = b.Entries.ContainsKey(name) ? b.ReadFloat32(name) : new float[x.Length];
            double scale = Largest(x), difference = x.Length == y.Length ? 0 : double.PositiveInfinity;
            for (int i = 0; i < Math.Min(x.Length, y.Length); i++)
            {
                double d = Math.Abs((double)x[i] - y[i]);
                difference = double.IsNaN(d) ? double.PositiveInfinity : Math.Max(difference, d);
            }

            double error = IsGradient(name) ? difference / Math.Max(scale, GradientFloor * largestGradient) / 10 : difference / scale;
            if (error > worst.Error)
            {
                worst = (error, name);
            }
        }

        return worst;
    }

    private static bool IsGradient(string name) => name.StartsWith("grad.", StringComparison.Ordinal);

    private static double Largest(float[] values) => values.Length == 0 ? 0 : values.Max(v => Math.Abs((double)v));
}
