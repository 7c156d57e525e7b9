namespace Ldvc.Comparison;

/// <summary>One tensor of a reference file against ours.</summary>
/// <param name="Name">The tensor's name in the file.</param>
/// <param name="MaxAbsolute">Largest absolute difference.</param>
/// <param name="MaxRelative">The same over the reference's largest absolute value (with the floor of gradients).</param>
/// <param name="Bound">What MaxRelative may be.</param>
internal sealed record ComparisonRow(string Name, double MaxAbsolute, double MaxRelative, double Bound)
{
    /// <summary>Within the bound; NaN is not.</summary>
    public bool Within => MaxRelative <= Bound;
}
