using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;

namespace Ldvc.Training;

/// <summary>Section augment of a configuration as the augmentation's options.</summary>
internal static class TrainingAugmentation
{
    internal static AugmentationOptions From(LdvcConfig config)
    {
        var a = config.Augment;
        return new AugmentationOptions
        {
            ResizeLong = Math.Max(a.Scale[0], a.Scale[1]),
            ResizeShort = Math.Min(a.Scale[0], a.Scale[1]),
            RatioLow = a.Ratio[0],
            RatioHigh = a.Ratio[1],
            CropSize = a.Crop,
            CatMaxRatio = a.CatMaxRatio,
            CropTries = a.CropTries,
            FlipProbability = a.Flip,
            Photometric = a.Brightness > 0 || a.Hue > 0 || a.Contrast is not [1, 1] || a.Saturation is not [1, 1],
            BrightnessDelta = a.Brightness,
            ContrastLow = a.Contrast[0],
            ContrastHigh = a.Contrast[1],
            SaturationLow = a.Saturation[0],
            SaturationHigh = a.Saturation[1],
            HueDelta = a.Hue,
            Statistics = SegmenterOptions.Statistics(config.Data.ImageMean),
        };
    }
}
