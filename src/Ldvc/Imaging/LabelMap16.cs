namespace Ldvc.Imaging;

/// <summary>A label map for more than 255 classes: one 16-bit class index per pixel, rows from the top.</summary>
internal sealed class LabelMap16
{
    /// <summary>The index that means "no label".</summary>
    public const ushort Unlabelled = ushort.MaxValue;

    /// <summary>Wraps existing labels of length width * height.</summary>
    public LabelMap16(int width, int height, ushort[] labels)
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

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width].</summary>
    public ushort[] Labels { get; }
}
