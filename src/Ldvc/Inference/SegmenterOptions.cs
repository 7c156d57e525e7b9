using Ldvc.Configuration;

namespace Ldvc.Inference;

/// <summary>How pictures are cut up and put together again (method.md 9).</summary>
/// <param name="ShortSide">Pictures are resized to this short side.</param>
/// <param name="Window">Side of the sliding window, a multiple of the patch.</param>
/// <param name="Stride">Step of the window.</param>
/// <param name="Batch">Windows computed at once.</param>
/// <param name="Mean">Per-channel mean the pictures are normalised with.</param>
/// <param name="Deviation">Per-channel standard deviation.</param>
internal sealed record SegmenterOptions(int ShortSide, int Window, int Stride, int Batch, float[] Mean, float[] Deviation)
{
    /// <summary>The longest side a picture may get: mmsegmentation's box (2048, 512) scaled to other short sides.</summary>
    internal int LongSide => 4 * ShortSide;

    /// <summary>From a configuration.</summary>
    internal static SegmenterOptions From(LdvcConfig config)
    {
        var statistics = Statistics(config.Data.ImageMean);
        return new SegmenterOptions(config.Eval.ShortSide, config.Eval.Window, config.Eval.Stride, config.Eval.Batch, statistics.Mean, statistics.Std);
    }

    /// <summary>The statistics of a configuration's choice.</summary>
    internal static Imaging.ImageStatistics Statistics(ImageStatistics choice) => choice == ImageStatistics.Clip ? Imaging.ImageStatistics.Clip : Imaging.ImageStatistics.ImageNet;
}
