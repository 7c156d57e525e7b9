using System.Buffers;
using System.Numerics;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>mmsegmentation's random crop: drawn again, a few times, while one class fills most of it.</summary>
internal static class RandomCrop
{
    /// <summary>Draws the crop's corner; a picture smaller than the crop is taken whole. The last draw stands even if it fails the test.</summary>
    public static (int Left, int Top) Draw(LabelMap labels, AugmentConfig config, ref CounterRandom random)
    {
        var corner = DrawCorner(labels, config.Crop, ref random);
        if (config.CatMaxRatio < 1)
        {
            for (int i = 0; i < config.CropTries && !IsMixed(labels, corner, config); i++)
            {
                corner = DrawCorner(labels, config.Crop, ref random);
            }
        }

        return corner;
    }

    private static (int Left, int Top) DrawCorner(LabelMap labels, int size, ref CounterRandom random)
    {
        int top = random.NextInt(Math.Max(labels.Height - size, 0) + 1);
        int left = random.NextInt(Math.Max(labels.Width - size, 0) + 1);
        return (left, top);
    }

    // More than one class, and none with cat_max_ratio or more of the labelled pixels.
    private static bool IsMixed(LabelMap labels, (int Left, int Top) corner, AugmentConfig config)
    {
        if (labels.Wide is not { } wide)
        {
            Span<int> counts = stackalloc int[LabelMap.Ignore + 1];
            return IsMixed(labels.Labels, labels, corner, config, counts);
        }

        int[] rented = ArrayPool<int>.Shared.Rent(LabelMap.WideIgnore + 1);
        bool mixed = IsMixed(wide.Labels, labels, corner, config, rented.AsSpan(0, LabelMap.WideIgnore + 1));
        ArrayPool<int>.Shared.Return(rented);
        return mixed;
    }

    // The last counter is of pixels without a label.
    private static bool IsMixed<T>(T[] stored, LabelMap labels, (int Left, int Top) corner, AugmentConfig config, Span<int> counts)
        where T : unmanaged, IBinaryInteger<T>
    {
        counts.Clear();
        int right = Math.Min(corner.Left + config.Crop, labels.Width);
        int bottom = Math.Min(corner.Top + config.Crop, labels.Height);
        for (int y = corner.Top; y < bottom; y++)
        {
            foreach (T label in stored.AsSpan((y * labels.Width) + corner.Left, right - corner.Left))
            {
                counts[int.CreateTruncating(label)]++;
            }
        }

        int classes = 0, largest = 0;
        long total = 0;
        foreach (int count in counts[..^1])
        {
            classes += count > 0 ? 1 : 0;
            largest = Math.Max(largest, count);
            total += count;
        }

        return classes > 1 && (double)largest / total < config.CatMaxRatio;
    }
}
