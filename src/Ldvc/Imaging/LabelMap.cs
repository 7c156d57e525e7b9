namespace Ldvc.Imaging;

/// <summary>One class index per pixel, rows from the top; <see cref="Ignore"/> means "no label".</summary>
public sealed class LabelMap
{
    /// <summary>The index that means "ignored" in every data set.</summary>
    public const byte Ignore = 255;

    /// <summary>Wraps existing labels of length width * height.</summary>
    public LabelMap(int width, int height, byte[] labels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (labels.LongLength != (long)width * height)
        {
            throw new ArgumentException($"expected {(long)width * height} labels for {width}x{height}, got {labels.LongLength}", nameof(labels));
        }

        Width = width;
        Height = height;
        Labels = labels;
    }

    /// <summary>A map of zeros.</summary>
    public LabelMap(int width, int height)
        : this(width, height, new byte[checked(width * height)])
    {
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width].</summary>
    public byte[] Labels { get; }
}
