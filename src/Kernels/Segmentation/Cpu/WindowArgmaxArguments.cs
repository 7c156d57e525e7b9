using Ldvc.Kernels.Resample.Cpu;

namespace Ldvc.Kernels.Segmentation.Cpu;

/// <summary>CPU address of a window's logits, and its place.</summary>
internal unsafe struct WindowPlace
{
    public float* Z;
    public int Top;
    public int Left;
}

/// <summary>Argmax over windows without a canvas: sizes, and how the output is cut.</summary>
internal unsafe struct WindowArgmaxArguments
{
    public WindowPlace* Windows;
    public int Count;
    public float* Penalty;
    public byte* Labels;

    /// <summary>Winning scores; may be null.</summary>
    public float* Best;

    /// <summary>Sums of the softmax; may be null.</summary>
    public float* Sums;

    /// <summary>What scores are multiplied by in the softmax.</summary>
    public float Scale;

    /// <summary>Whether logits are added as they are, without the sigmoid.</summary>
    public bool Plain;
    public int Classes;
    public int Height;
    public int Width;
    public int WindowHeight;
    public int WindowWidth;
    public int CanvasHeight;
    public int CanvasWidth;
    public int OutputHeight;
    public int OutputWidth;

    /// <summary>Output rows of a band.</summary>
    public int BandRows;

    /// <summary>Output columns of a strip.</summary>
    public int StripColumns;
    public int Bands;

    /// <summary>Cuts the output into parts; false when too many windows lie over one, or a part does not fit.</summary>
    public bool Plan()
    {
        BandRows = SegmentationPlan.WindowBandRows(OutputHeight, CanvasHeight);
        StripColumns = SegmentationPlan.WindowStripColumns(OutputWidth, CanvasWidth);
        if (BandRows == 0 || StripColumns == 0)
        {
            return false;
        }

        Bands = (OutputHeight + BandRows - 1) / BandRows;
        for (int i = 0; i < Count; i++)
        {
            // Windows are equally large: those that meet a part begin within a window and a part of each other.
            int near = 0;
            for (int j = 0; j < Count; j++)
            {
                near += Math.Abs(Windows[i].Top - Windows[j].Top) < WindowHeight + SegmentationPlan.PartRows && Math.Abs(
                    Windows[i].Left - Windows[j].Left) < WindowWidth + CpuBilinearBlocks.Strip ? 1 : 0;
            }

            if (near > SegmentationPlan.MaxWindowsOverPart)
            {
                return false;
            }
        }

        return true;
    }
}
