using Ldvc.Kernels.Resample;

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

    /// <summary>Threads of a GPU's group, a pixel each; where pairs of labels are counted, a true class each.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Pixels that a group which counts pairs stages in shared memory at a time.</summary>
    internal const int GpuStagedPixels = 4096;

    // Groups that count pairs of labels on a GPU, each into a table of its own: as many as a card has multiprocessors, each with a share that is
    // worth a table.
    private const int MaxTables = 128;
    private const int PixelsPerTable = 1024;

    /// <summary>
    /// Output rows of a band, when windows are labelled without a canvas on the CPU: those whose part of the canvas has at most
    /// <see cref="PartRows"/> rows, one more than its share of the canvas and one for rounding; 0 when that is less than a row.
    /// </summary>
    internal static int WindowBandRows(int outputHeight, int canvasHeight) =>
        (int)Math.Min(BandRows, (PartRows - 2) * (long)outputHeight / canvasHeight);

    /// <summary>Output columns of a strip there: those whose part of the canvas is at most a strip of resizing wide.</summary>
    internal static int WindowStripColumns(int outputWidth, int canvasWidth) =>
        (int)Math.Min(ResamplePlan.CpuStrip, (ResamplePlan.CpuStrip - 2) * (long)outputWidth / canvasWidth);

    /// <summary>Tables that so many pixels are counted into on a GPU.</summary>
    internal static int Tables(int pixels) => Math.Clamp(pixels / PixelsPerTable, 1, MaxTables);
}
