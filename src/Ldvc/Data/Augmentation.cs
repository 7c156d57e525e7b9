using System.Numerics;
using System.Runtime.InteropServices;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// One picture with labels to one training sample: random resize, crop, flip, colour distortion, normalisation, padding (method.md section 8, in
/// mmsegmentation's order and rounding). A pure function of the picture, the labels and the random stream.
/// </summary>
internal sealed class Augmentation
{
    // Of one picture that is resized to a short side: 131072 pixels long at 512.
    private const int MaxResized = 1 << 26;

    private readonly AugmentConfig _config;
    private readonly bool _photometric;
    private readonly float[] _normalized = new float[3 * 256];

    /// <summary>Checks the section.</summary>
    /// <param name="config">Section augment.</param>
    /// <param name="statistics">Mean and standard deviation of the normalisation.</param>
    /// <exception cref="InputException">An option is out of its range.</exception>
    public Augmentation(AugmentConfig config, Imaging.ImageStatistics statistics)
    {
        ConfigCheck.Augment(config);
        (_config, _photometric) = (config, config.Photometric);
        for (int i = 0; i < _normalized.Length; i++)
        {
            _normalized[i] = (((i % 256) / 255f) - statistics.Mean[i / 256]) / statistics.Std[i / 256];
        }
    }

    /// <summary>Columns and rows of a sample.</summary>
    public int Size => _config.Crop;

    /// <summary>
    /// Writes the sample: <paramref name="pixels"/> [3, size, size], normalised, 0 where padded; <paramref name="sampleLabels"/> [size, size], train
    /// ids, 255 where padded or without a label.
    /// </summary>
    public void Apply(RgbImage image, LabelMap labels, CounterRandom random, Span<float> pixels, Span<byte> sampleLabels) =>
        Apply(image, labels, random, pixels, sampleLabels, LabelMap.Ignore);

    /// <summary>The same with labels of 32 bits, 65535 where padded or without one.</summary>
    public void Apply(RgbImage image, LabelMap labels, CounterRandom random, Span<float> pixels, Span<int> sampleLabels) =>
        Apply(image, labels, random, pixels, sampleLabels, LabelMap.WideIgnore);

    private void Apply<T>(RgbImage image, LabelMap labels, CounterRandom random, Span<float> pixels, Span<T> sampleLabels, T none)
        where T : unmanaged, IBinaryInteger<T>
    {
        int size = _config.Crop;
        if (pixels.Length != 3 * size * size || sampleLabels.Length != size * size)
        {
            throw new ArgumentException(
                $"expected {3 * size * size} pixel values and {size * size} labels, got {pixels.Length} and {sampleLabels.Length}");
        }

        double ratio = _config.Ratio[0] + ((_config.Ratio[1] - _config.Ratio[0]) * random.NextDouble());
        int longSide = (int)(_config.Scale[0] * ratio), shortSide = (int)(_config.Scale[1] * ratio);
        var (width, height) = _config.ExactShortSide
            ? FitShortSide(image.Width, image.Height, shortSide)
            : FitBox(image.Width, image.Height, longSide, shortSide);
        var resizedLabels = width == labels.Width && height == labels.Height
            ? labels
            : ResizeNearest.Apply(labels, width, height, NearestRule.TopLeft);
        var (left, top) = RandomCrop.Draw(resizedLabels, _config, ref random);

        // Only the crop's pixels of the resized picture are ever computed.
        var crop = ResizeLinear.Apply(image, width, height, left, top, Math.Min(size, width - left), Math.Min(size, height - top));
        bool flip = random.NextDouble() < _config.Flip;
        if (_photometric)
        {
            PhotometricDistortion.Apply(crop, _config, ref random);
        }

        WritePixels(crop, flip, pixels);
        if (resizedLabels.Wide is { } wide)
        {
            WriteLabels(wide.Labels.AsSpan((top * wide.Width) + left), wide.Width, crop.Width, crop.Height, flip, sampleLabels, none);
        }
        else
        {
            Span<byte> from = resizedLabels.Labels.AsSpan((top * resizedLabels.Width) + left);
            WriteLabels(from, resizedLabels.Width, crop.Width, crop.Height, flip, sampleLabels, none);
        }
    }

    /// <summary>The largest size of the same aspect within a box of the given long and short side, each side rounded half up.</summary>
    public static (int Width, int Height) FitBox(int width, int height, int longSide, int shortSide)
    {
        double scale = Math.Min((double)longSide / Math.Max(width, height), (double)shortSide / Math.Min(width, height));
        return Scaled(width, height, scale);
    }

    /// <summary>
    /// The size of the same aspect with a given short side, the long one rounded half up. The scale is found as mmsegmentation finds it for min_size.
    /// </summary>
    /// <exception cref="InputException">The picture is so long and narrow that the resized one would be too large.</exception>
    public static (int Width, int Height) FitShortSide(int width, int height, int shortSide)
    {
        int shorter = Math.Min(width, height), longer = Math.Max(width, height);
        double longSide = (double)shortSide * longer / shorter;
        if (longSide * shortSide > MaxResized)
        {
            throw new InputException(
                $"a picture of {width}x{height} pixels is too long and narrow for a short side of exactly {shortSide}: expected at most {MaxResized} "
                    + "pixels after resizing");
        }

        return Scaled(width, height, Math.Min(longSide / longer, (double)shortSide / shorter));
    }

    private static (int Width, int Height) Scaled(int width, int height, double scale) =>
        (Math.Max(1, (int)((width * scale) + 0.5)), Math.Max(1, (int)((height * scale) + 0.5)));

    private void WritePixels(RgbImage crop, bool flip, Span<float> pixels)
    {
        int size = _config.Crop;
        for (int channel = 0; channel < 3; channel++)
        {
            ReadOnlySpan<float> table = _normalized.AsSpan(channel * 256, 256);
            var plane = pixels.Slice(channel * size * size, size * size);
            for (int y = 0; y < crop.Height; y++)
            {
                ReadOnlySpan<byte> source = crop.Pixels.AsSpan(3 * y * crop.Width, 3 * crop.Width);
                var row = plane.Slice(y * size, size);
                for (int x = 0; x < crop.Width; x++)
                {
                    row[x] = table[source[(3 * (flip ? crop.Width - 1 - x : x)) + channel]];
                }

                row[crop.Width..].Clear();
            }

            plane[(crop.Height * size)..].Clear();
        }
    }

    private void WriteLabels<TStored, T>(Span<TStored> labels, int stride, int width, int height, bool flip, Span<T> target, T none)
        where TStored : unmanaged, IMinMaxValue<TStored>, IBinaryInteger<TStored>
        where T : unmanaged, IBinaryInteger<T>
    {
        int size = _config.Crop;
        for (int y = 0; y < height; y++)
        {
            var row = target.Slice(y * size, size);
            Copy(labels.Slice(y * stride, width), row, none);
            if (flip)
            {
                row[..width].Reverse();
            }

            row[width..].Fill(none);
        }

        target[(height * size)..].Fill(none);
    }

    // The largest number of either type means "no label"; what the target cannot hold is none either.
    private static void Copy<TStored, T>(ReadOnlySpan<TStored> labels, Span<T> target, T none)
        where TStored : unmanaged, IMinMaxValue<TStored>, IBinaryInteger<TStored>
        where T : unmanaged, IBinaryInteger<T>
    {
        if (typeof(TStored) == typeof(T))
        {
            MemoryMarshal.Cast<TStored, T>(labels).CopyTo(target);
            return;
        }

        int bound = Math.Min(int.CreateTruncating(none), int.CreateTruncating(TStored.MaxValue));
        for (int i = 0; i < labels.Length; i++)
        {
            int label = int.CreateTruncating(labels[i]);
            target[i] = label >= bound ? none : T.CreateTruncating(label);
        }
    }
}
