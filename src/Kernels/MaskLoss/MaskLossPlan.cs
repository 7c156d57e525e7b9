namespace Ldvc.Kernels.MaskLoss;

/// <summary>How the mask loss is cut on a GPU. On the CPU a tile is the plane of one (image, class).</summary>
internal static class MaskLossPlan
{
    /// <summary>Image rows whose losses one group sums.</summary>
    internal const int BandRows = 64;

    /// <summary>Rows of logits whose gradient one group computes.</summary>
    internal const int GradientRows = 8;
}
