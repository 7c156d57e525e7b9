using Ldvc.Kernels.Resample;

namespace Ldvc.Kernels.MaskLoss;

/// <summary>
/// Every choice of the mask loss. On the CPU a tile is the plane of one (image, class), in resizing's strips and blocks (<see cref="ResamplePlan"/>).
/// </summary>
internal static class MaskLossPlan
{
    /// <summary>Image rows whose losses one group of a GPU sums.</summary>
    internal const int BandRows = 64;

    /// <summary>Rows of logits whose gradient one group of a GPU computes.</summary>
    internal const int GradientRows = 8;

    /// <summary>Threads of a GPU's group, a column of the image each.</summary>
    internal const int GpuThreads = 256;
}
