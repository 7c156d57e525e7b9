namespace Ldvc.Inference;

/// <summary>How many names are compared at once: kernels write the winner as a byte, and 255 means none.</summary>
internal static class NamePasses
{
    /// <summary>Names of a pass at most.</summary>
    internal const int Max = 255;

    /// <summary>The first name and the number of names of every pass.</summary>
    /// <param name="names">All names.</param>
    /// <param name="most">Names of a pass at most.</param>
    internal static IEnumerable<(int First, int Count)> Of(int names, int most = Max)
    {
        for (int first = 0; first < names; first += most)
        {
            yield return (first, Math.Min(most, names - first));
        }
    }
}
