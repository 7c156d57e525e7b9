using Ldvc.Configuration;

namespace Ldvc.Data;

/// <summary>The statistics that data.image_mean names.</summary>
internal static class PictureStatistics
{
    /// <summary>Mean and standard deviation that pictures are normalised with.</summary>
    /// <param name="data">Says whose.</param>
    /// <param name="clip">The CLIP's own.</param>
    internal static Imaging.ImageStatistics Of(DataConfig data, Imaging.ImageStatistics clip) =>
        data.ImageMean == ImageStatistics.Clip ? clip : Imaging.ImageStatistics.ImageNet;
}
