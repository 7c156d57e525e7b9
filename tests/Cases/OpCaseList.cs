using Ldvc.Cases.Ops;

namespace Ldvc.Cases;

/// <summary>
/// Every operation's cases: the one list behind the tests of the CPU at all widths, of GPU devices, of gradients, of coverage, and behind the
/// timings. An operation without a case fails a test.
/// </summary>
internal static class OpCaseList
{
    /// <summary>All cases, by unique name.</summary>
    internal static IReadOnlyList<OpCase> All { get; } =
    [
        .. LinearCases.All,
        .. MatMulTransposedCases.All,
        .. ElementwiseCases.All,
        .. UnaryCases.All,
        .. BinaryCases.All,
        .. AxisCases.All,
        .. LayoutCases.All,
        .. MatMulCases.All,
        .. RelationshipCases.All,
        .. NormalizationCases.All,
        .. TokenCases.All,
        .. ShapeCases.All,
        .. AttentionCases.All,
        .. RouteAttentionCases.All,
        .. LossCases.All,
    ];

    /// <summary>The cases with a float64 reference.</summary>
    internal static IEnumerable<OpCase> Checked => All.Where(c => !c.Real);

    /// <summary>The case of a name.</summary>
    internal static OpCase Named(string name) => All.First(c => c.Name == name);
}
