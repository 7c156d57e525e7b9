using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Training augmentation (method.md section 8); the defaults are the published recipe.</summary>
internal sealed record AugmentationOptions
{
    /// <summary>Before scaling by the random ratio, the picture fits a box with this long side ...</summary>
    public int ResizeLong { get; init; } = 2048;

    /// <summary>... and this short side, keeping its aspect.</summary>
    public int ResizeShort { get; init; } = 512;

    /// <summary>Smallest ratio the box is scaled by.</summary>
    public double RatioLow { get; init; } = 0.5;

    /// <summary>Largest ratio the box is scaled by; equal to the smallest for none.</summary>
    public double RatioHigh { get; init; } = 2.0;

    /// <summary>Side of the square crop, and of the output.</summary>
    public int CropSize { get; init; } = 512;

    /// <summary>A crop is drawn again when one class covers this share or more of its labelled pixels; 1 takes the first crop.</summary>
    public double CatMaxRatio { get; init; } = 0.75;

    /// <summary>How often a crop may be drawn again.</summary>
    public int CropTries { get; init; } = 10;

    /// <summary>Probability of a horizontal flip.</summary>
    public double FlipProbability { get; init; } = 0.5;

    /// <summary>Whether colours are distorted.</summary>
    public bool Photometric { get; init; } = true;

    /// <summary>Brightness moves by up to this, in units of 0..255.</summary>
    public double BrightnessDelta { get; init; } = 32;

    /// <summary>Smallest contrast factor.</summary>
    public double ContrastLow { get; init; } = 0.5;

    /// <summary>Largest contrast factor.</summary>
    public double ContrastHigh { get; init; } = 1.5;

    /// <summary>Smallest saturation factor.</summary>
    public double SaturationLow { get; init; } = 0.5;

    /// <summary>Largest saturation factor.</summary>
    public double SaturationHigh { get; init; } = 1.5;

    /// <summary>Hue moves by -delta .. delta - 1 steps of two degrees.</summary>
    public int HueDelta { get; init; } = 18;

    /// <summary>Mean and deviation of the normalisation.</summary>
    public ImageStatistics Statistics { get; init; } = ImageStatistics.Clip;

    /// <summary>Checks every range.</summary>
    /// <exception cref="InputException">A value is out of its range.</exception>
    public void Validate()
    {
        Require(ResizeShort >= 1 && ResizeLong >= ResizeShort, $"resize box {ResizeLong}x{ResizeShort}: expected long side >= short side >= 1");
        Require(ResizeLong * RatioHigh <= 16384, $"resize box {ResizeLong} times ratio {RatioHigh}: expected at most 16384");
        Require(RatioLow > 0 && RatioHigh >= RatioLow && RatioHigh <= 100, $"resize ratio {RatioLow} to {RatioHigh}: expected 0 < low <= high <= 100");
        Require(CropSize is >= 1 and <= 16384, $"crop size {CropSize}: expected 1 to 16384");
        Require(CatMaxRatio is > 0 and <= 1, $"cat_max_ratio {CatMaxRatio}: expected above 0 and at most 1");
        Require(CropTries is >= 0 and <= 1000, $"crop tries {CropTries}: expected 0 to 1000");
        Require(FlipProbability is >= 0 and <= 1, $"flip probability {FlipProbability}: expected 0 to 1");
        Require(BrightnessDelta is >= 0 and <= 255, $"brightness {BrightnessDelta}: expected 0 to 255");
        Require(ContrastLow >= 0 && ContrastHigh >= ContrastLow, $"contrast {ContrastLow} to {ContrastHigh}: expected 0 <= low <= high");
        Require(SaturationLow >= 0 && SaturationHigh >= SaturationLow, $"saturation {SaturationLow} to {SaturationHigh}: expected 0 <= low <= high");
        Require(HueDelta is >= 0 and <= 90, $"hue {HueDelta}: expected 0 to 90");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InputException($"augmentation: {message}");
        }
    }
}
