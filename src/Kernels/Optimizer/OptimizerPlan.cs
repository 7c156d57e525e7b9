using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Optimizer;

/// <summary>
/// Every choice of the optimiser: one launch for all parameters on a GPU; on the CPU one after the other, shared out by length alone
/// (<see cref="Tiling"/>).
/// </summary>
internal static class OptimizerPlan
{
    /// <summary>Threads of a GPU's group; each group treats <see cref="GpuPlan.TableElements"/> elements of one parameter.</summary>
    internal const int GpuThreads = 256;
}
