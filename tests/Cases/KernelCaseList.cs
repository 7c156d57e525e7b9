using Ldvc.Cases.Kernels;

namespace Ldvc.Cases;

/// <summary>Kernel calls that no operation makes. A contract method that neither an operation's case nor one of these reaches fails a test.</summary>
internal static class KernelCaseList
{
    /// <summary>All cases, by unique name.</summary>
    internal static IReadOnlyList<KernelCase> All { get; } =
    [
        .. GemmCases.All,
        .. ElementwiseKernelCases.All,
        .. TokenKernelCases.All,
        .. NormalizationKernelCases.All,
        .. ReductionCases.All,
        .. OptimizerCases.All,
        .. ResampleCases.All,
        .. SegmentationCases.All,
    ];

    /// <summary>The cases with a reference.</summary>
    internal static IEnumerable<KernelCase> Checked => All.Where(c => !c.Real);

    /// <summary>The case of a name.</summary>
    internal static KernelCase Named(string name) => All.First(c => c.Name == name);
}
