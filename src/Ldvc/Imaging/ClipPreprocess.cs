namespace Ldvc.Imaging;

/// <summary>
/// CLIP's image preprocessing: short side to the model's size with Pillow's bicubic, centre crop, scale to 0..1, normalise, planes R, G, B.
/// Sizes follow torchvision's Resize and CenterCrop, which OpenAI's CLIP uses: the long side is truncated, the crop's offset rounded half to even.
/// </summary>
internal static class ClipPreprocess
{
    /// <summary>Resizes and crops to size x size.</summary>
    public static RgbImage ResizeAndCrop(RgbImage image, int size)
    {
        var (width, height) = ShortSideTo(image.Width, image.Height, size);
        var resized = Resample.Antialiased(image, width, height, ResampleFilter.Bicubic);
        int left = (int)Math.Round((width - size) / 2.0, MidpointRounding.ToEven);
        int top = (int)Math.Round((height - size) / 2.0, MidpointRounding.ToEven);
        var crop = new RgbImage(size, size);
        for (int y = 0; y < size; y++)
        {
            resized.Pixels.AsSpan(3 * (((top + y) * width) + left), 3 * size).CopyTo(crop.Pixels.AsSpan(3 * y * size));
        }

        return crop;
    }

    /// <summary>The size whose short side is <paramref name="size"/>; the long side is size * long / short, truncated.</summary>
    public static (int Width, int Height) ShortSideTo(int width, int height, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        return width <= height
            ? (size, (int)((double)((long)size * height) / width))
            : ((int)((double)((long)size * width) / height), size);
    }

    /// <summary>
    /// Preprocesses one picture into <paramref name="destination"/> [3, size, size]; <paramref name="mean"/> and <paramref name="std"/> hold three
    /// values each, in units of 0..1.
    /// </summary>
    public static void ToTensor(RgbImage image, int size, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, Span<float> destination)
        => Normalize(ResizeAndCrop(image, size), mean, std, destination);

    /// <summary>(pixel / 255 - mean) / std without any resizing, into <paramref name="destination"/> [3, Height, Width].</summary>
    public static void Normalize(RgbImage image, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, Span<float> destination)
    {
        int plane = image.Width * image.Height;
        if (mean.Length != 3 || std.Length != 3 || destination.Length != 3 * plane)
        {
            throw new ArgumentException(
                $"expected 3 means, 3 standard deviations and {3 * plane} outputs, got {mean.Length}, {std.Length} and {destination.Length}",
                nameof(destination));
        }

        Span<float> table = stackalloc float[256];
        for (int channel = 0; channel < 3; channel++)
        {
            // Only 256 values exist: compute each once, in the order the reference does.
            for (int v = 0; v < 256; v++)
            {
                table[v] = ((v / 255f) - mean[channel]) / std[channel];
            }

            var output = destination.Slice(channel * plane, plane);
            ReadOnlySpan<byte> input = image.Pixels.AsSpan(channel);
            for (int i = 0; i < output.Length; i++)
            {
                output[i] = table[input[3 * i]];
            }
        }
    }
}
