using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>A CLIP's preprocessing of pictures: resized, cropped in the middle, normalised.</summary>
internal sealed record PreprocessorConfig
{
    /// <summary>Resize: the short side gets this length. Null when <see cref="Exact"/> says both sides.</summary>
    public int? ShortSide { get; init; }

    /// <summary>Resize: both sides, whatever the picture's proportions.</summary>
    public (int Height, int Width)? Exact { get; init; }

    /// <summary>Rows and columns after the crop: what the vision tower gets.</summary>
    public required (int Height, int Width) Crop { get; init; }

    /// <summary>
    /// Whether the crop's offset is rounded down, as the transformers package does it; else half to even, as torchvision does it for OpenAI's code
    /// and open_clip. Of four pictures one differs, by a pixel.
    /// </summary>
    public bool CropsDown { get; init; }

    /// <summary>Filter of the resize.</summary>
    public ResampleFilter Filter { get; init; } = ResampleFilter.Bicubic;

    /// <summary>Mean of R, G, B in units of 0..1.</summary>
    public required float[] Mean { get; init; }

    /// <summary>Standard deviation of R, G, B in units of 0..1.</summary>
    public required float[] Std { get; init; }

    /// <summary>What CLIP was trained with: short side to the model's size, bicubic, its own statistics.</summary>
    public static PreprocessorConfig Default(int imageSize) => new()
    {
        ShortSide = imageSize,
        Crop = (imageSize, imageSize),
        Mean = ImageStatistics.Clip.Mean,
        Std = ImageStatistics.Clip.Std,
    };

    /// <summary>Floats of one preprocessed picture.</summary>
    public int Length => 3 * Crop.Height * Crop.Width;

    /// <summary>One picture as planes R, G, B into <paramref name="destination"/> [3, Crop.Height, Crop.Width].</summary>
    /// <exception cref="InputException">The picture is so long and narrow that the resized one would be too large.</exception>
    public void ToTensor(RgbImage picture, string name, Span<float> destination)
    {
        var (width, height) = Exact is { } exact ? (exact.Width, exact.Height) : SizeByShortSide(picture, name);
        RgbImage resized = Resample.Antialiased(picture, width, height, Filter);
        RgbImage cropped = (height, width) == Crop ? resized : CropCentre(resized);
        ClipPreprocess.Normalize(cropped, Mean, Std, destination);
    }

    private (int Width, int Height) SizeByShortSide(RgbImage picture, string name)
    {
        int side = ShortSide!.Value;
        double pixels = (double)side * side * Math.Max(picture.Width, picture.Height) / Math.Min(picture.Width, picture.Height);
        return pixels <= ImageReader.MaxPixels
            ? ClipPreprocess.ShortSideTo(picture.Width, picture.Height, side)
            : throw new InputException(
                $"{name}: {picture.Width}x{picture.Height} pixels are too long and narrow; with a short side of {side}, expected at most "
                    + $"{ImageReader.MaxPixels} pixels.");
    }

    private RgbImage CropCentre(RgbImage picture)
    {
        MidpointRounding rounding = CropsDown ? MidpointRounding.ToNegativeInfinity : MidpointRounding.ToEven;
        int left = (int)Math.Round((picture.Width - Crop.Width) / 2.0, rounding);
        int top = (int)Math.Round((picture.Height - Crop.Height) / 2.0, rounding);
        var crop = new RgbImage(Crop.Width, Crop.Height);
        for (int y = 0; y < Crop.Height; y++)
        {
            picture.Pixels.AsSpan(3 * (((top + y) * picture.Width) + left), 3 * Crop.Width).CopyTo(crop.Pixels.AsSpan(3 * y * Crop.Width));
        }

        return crop;
    }
}
