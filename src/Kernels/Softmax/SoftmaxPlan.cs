using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Softmax;

/// <summary>Every choice of softmax. On the CPU, rows and blocks of columns are shared out by their length alone (<see cref="Tiling"/>).</summary>
internal static class SoftmaxPlan
{
    /// <summary>Columns of a block on the CPU, in softmax down columns: the widest vector's, so that tiles do not depend on the width.</summary>
    internal const int CpuColumns = SimdLevel.MaxLanes;

    /// <summary>Threads of a GPU's group, which share one slice.</summary>
    internal const int GpuThreads = 128;
}
