using Ldvc.Cases;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Turns differences into test failures.</summary>
internal static class CaseAssert
{
    /// <summary>Fails with every difference beyond its bound.</summary>
    internal static void Passed(IReadOnlyList<CaseDifference> differences)
    {
        Assert.NotEmpty(differences);
        Assert.True(differences.All(d => d.Passed), string.Join(Environment.NewLine, differences.Where(d => !d.Passed)));
    }
}
