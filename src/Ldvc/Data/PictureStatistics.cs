using Ldvc.Configuration;

namespace Ldvc.Data;

/// <summary>The statistics that data.image_mean names.</summary>
internal static class PictureStatistics
{
    /// <summary>Mean and standard deviation that pictures are normalised with.</summary>
    internal static Imaging.ImageStatistics Of(DataConfig data) =>
        data.ImageMean == ImageStatistics.Clip ? Imaging.ImageStatistics.Clip : Imaging.ImageStatistics.ImageNet;
}
