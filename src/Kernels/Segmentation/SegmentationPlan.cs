namespace Ldvc.Kernels.Segmentation;

/// <summary>Every choice of the inference steps: how outputs are cut, and when windows are labelled without a canvas.</summary>
internal static class SegmentationPlan
{
    /// <summary>Output rows of a band on the CPU at most.</summary>
    internal const int BandRows = 16;

    /// <summary>
    /// Windows that <see cref="ISegmentationKernels.ArgmaxWindows"/> takes on the CPU at most: their places are listed on the stack.
    /// </summary>
    internal const int MaxWindows = 1024;

    /// <summary>Windows over one part of the output at most.</summary>
    internal const int MaxWindowsOverPart = 16;

    /// <summary>Rows of canvas that a part of the output is interpolated from at most.</summary>
    internal const int PartRows = 34;

    // Groups that count pairs of labels on a GPU, each into a table of its own: as many as a card has multiprocessors, each with a share that is
    // worth a table.
    private const int MaxTables = 128;
    private const int PixelsPerTable = 1024;

    /// <summary>Tables that so many pixels are counted into on a GPU.</summary>
    internal static int Tables(int pixels) => Math.Clamp(pixels / PixelsPerTable, 1, MaxTables);
}
