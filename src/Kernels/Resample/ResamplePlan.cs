namespace Ldvc.Kernels.Resample;

/// <summary>Every choice of bilinear resizing. The mask loss and the inference steps resize on the way, in the same strips and blocks.</summary>
internal static class ResamplePlan
{
    /// <summary>Columns of a strip on the CPU; a multiple of every vector width.</summary>
    internal const int CpuStrip = 128;

    /// <summary>Rows of a block on the CPU at most.</summary>
    internal const int CpuBlockRows = 16;

    /// <summary>Columns that the CPU stretches together: the lanes of a 256-bit vector, whose permutation does it.</summary>
    internal const int CpuStretched = 8;

    /// <summary>Threads of a GPU's group: a thread an output forward, a group an input row backward.</summary>
    internal const int GpuThreads = 256;
}
