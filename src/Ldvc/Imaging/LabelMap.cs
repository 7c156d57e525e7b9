namespace Ldvc.Imaging;

/// <summary>
/// One class index per pixel, rows from the top: bytes with <see cref="Ignore"/> for "no label", or, of a data set with more than 255 classes,
/// 16 bits with <see cref="WideIgnore"/>.
/// </summary>
public sealed class LabelMap
{
    /// <summary>The index that means "no label" in a map of bytes.</summary>
    public const byte Ignore = 255;

    /// <summary>The index that means "no label" in a map of 16 bits.</summary>
    public const ushort WideIgnore = LabelMap16.Unlabelled;

    private readonly byte[]? _labels;

    /// <summary>Wraps existing labels of length width * height.</summary>
    public LabelMap(int width, int height, byte[] labels)
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
        _labels = labels;
    }

    /// <summary>A map of zeros.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or both are more than an array has room for.</exception>
    public LabelMap(int width, int height)
        : this(width, height, new byte[PixelBytes.Of(width, height, 1)])
    {
    }

    /// <summary>Wraps a map of 16 bits.</summary>
    internal LabelMap(LabelMap16 wide) => (Width, Height, Wide) = (wide.Width, wide.Height, wide);

    /// <summary>Wraps existing labels of 16 bits, of length width * height.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="labels">[height, width]; 65535 means "no label".</param>
    public static LabelMap FromWide(int width, int height, ushort[] labels) => new(new LabelMap16(width, height, labels));

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Whether the labels have 16 bits.</summary>
    public bool IsWide => Wide is not null;

    /// <summary>[Height, Width], of a map of bytes.</summary>
    /// <exception cref="InvalidOperationException">The labels have 16 bits.</exception>
    public byte[] Labels =>
        _labels ?? throw new InvalidOperationException("a label map of 16 bits has no labels of 8: read WideLabels where IsWide says so");

    /// <summary>[Height, Width], of a map of 16 bits.</summary>
    /// <exception cref="InvalidOperationException">The labels are bytes.</exception>
    public ushort[] WideLabels => Wide?.Labels ?? throw new InvalidOperationException("a label map of 8 bits has no labels of 16: read Labels");

    /// <summary>The map of 16 bits; null for one of bytes.</summary>
    internal LabelMap16? Wide { get; }

    /// <summary>Number of pixels.</summary>
    internal int Count => Width * Height;

    /// <summary>Bytes of memory.</summary>
    internal long Bytes => Wide is null ? Count : 2L * Count;

    /// <summary>The class at a pixel; -1 where there is no label.</summary>
    /// <param name="pixel">Counted row by row.</param>
    internal int ClassAt(int pixel) => _labels is null
        ? (Wide!.Labels[pixel] is var wide && wide == WideIgnore ? -1 : wide)
        : (_labels[pixel] is var label && label == Ignore ? -1 : label);

    /// <summary>The classes that occur, ascending.</summary>
    internal IEnumerable<int> ClassesPresent() => Enumerable.Range(0, Count).Select(ClassAt).Where(id => id >= 0).Distinct().Order();
}
