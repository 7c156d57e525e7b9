namespace Ldvc.Imaging;

/// <summary>A label map for any number of classes up to 65535: one 16-bit class index per pixel, rows from the top.</summary>
internal sealed class LabelMap16
{
    /// <summary>The index that means "no label".</summary>
    public const ushort Unlabelled = ushort.MaxValue;

    /// <summary>Wraps existing labels of length width * height.</summary>
    public LabelMap16(int width, int height, ushort[] labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
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

    /// <summary>The same labels in 16 bits; 255, no label, becomes 65535.</summary>
    public static LabelMap16 From(LabelMap labels)
    {
        var wide = new ushort[labels.Labels.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = labels.Labels[i] == LabelMap.Ignore ? Unlabelled : labels.Labels[i];
        }

        return new LabelMap16(labels.Width, labels.Height, wide);
    }

    /// <summary>Whether the file that it was read from has at most 8 bits a pixel, so that no number is beyond 255.</summary>
    internal bool IsOfBytes { get; init; }

    /// <summary>The colour (0xRRGGBB) of each number, of a file with a palette; null for others.</summary>
    internal int[]? Palette { get; init; }

    /// <summary>Bits of a pixel in a grey PNG; 0 for other files.</summary>
    internal int GreyBits { get; init; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width].</summary>
    public ushort[] Labels { get; }
}
