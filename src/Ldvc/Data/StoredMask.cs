using System.Numerics;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>A value that a mask stores.</summary>
/// <param name="Value">The stored number.</param>
/// <param name="Meaning">Its train id, <see cref="Ignored"/>, or -1 when it means nothing.</param>
/// <param name="Pixels">How many pixels have it.</param>
internal readonly record struct StoredValue(int Value, int Meaning, long Pixels)
{
    /// <summary>What values mean that stand for no label; no class has this number.</summary>
    internal const int Ignored = LabelMap.WideIgnore;

    /// <summary>Whether it is a class.</summary>
    internal bool IsClass => Meaning is >= 0 and not Ignored;
}

/// <summary>What a mask stores, before any value of it is refused.</summary>
/// <param name="Source">The file, or the picture of a data set without files.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Values">The values that occur, ascending.</param>
internal sealed record StoredMask(string Source, int Width, int Height, IReadOnlyList<StoredValue> Values)
{
    /// <summary>Whether the mask's file holds numbers; those of colours are made up.</summary>
    internal bool HoldsNumbers { get; init; } = true;

    /// <summary>The colour of each of <see cref="Values"/> (0xRRGGBB, -1 for none) of a file with a palette; null for others.</summary>
    internal IReadOnlyList<int>? Colours { get; init; }

    /// <summary>Bits of a pixel in a grey PNG; 0 for other masks.</summary>
    internal int GreyBits { get; init; }

    /// <summary>
    /// Whether 255 would mean "no label" by custom: the mask's file has at most 8 bits a pixel, and no table of values says what 255 is.
    /// </summary>
    internal bool HasCustomaryBorders { get; init; }

    /// <summary>Pixels of 255 that are a class, in a file in which 255 usually means "no label".</summary>
    internal long Borders => HasCustomaryBorders ? Values.Where(v => v.Value == LabelMap.Ignore && v.IsClass).Sum(v => v.Pixels) : 0;

    /// <summary>Whether only the values 0 and 255 (65535 in 16 bits) occur, and the latter means "no label".</summary>
    internal bool IsBinary => HoldsNumbers && Values.All(v => v.Value == 0 || IsVoid(v));

    /// <summary>Whether 255, or 65535, occurs and means "no label".</summary>
    internal bool HasVoid => Values.Any(IsVoid);

    /// <summary>Whether any pixel has a class.</summary>
    internal bool HasLabel => Values.Any(v => v.IsClass);

    /// <summary>Whether any value means nothing.</summary>
    internal bool HasUnknown => Values.Any(v => v.Meaning < 0);

    /// <summary>The train ids that occur.</summary>
    internal IEnumerable<int> Labels => Values.Where(v => v.IsClass).Select(v => v.Meaning).Distinct();

    /// <summary>Counts the values of a mask.</summary>
    /// <param name="stored">Its pixels.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="meaning">From a value to its <see cref="StoredValue.Meaning"/>.</param>
    /// <param name="source">What it is called in messages.</param>
    internal static StoredMask Of<T>(ReadOnlySpan<T> stored, int width, int height, Func<int, int> meaning, string source)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        // Runs of one value are long in masks: a look-up per run, not per pixel.
        var counts = new Dictionary<int, long>();
        for (int start = 0; start < stored.Length;)
        {
            int next = stored[start..].IndexOfAnyExcept(stored[start]);
            int run = next < 0 ? stored.Length - start : next;
            int value = int.CreateTruncating(stored[start]);
            counts[value] = counts.GetValueOrDefault(value) + run;
            start += run;
        }

        return new StoredMask(source, width, height, [.. counts.OrderBy(c => c.Key).Select(c => new StoredValue(c.Key, meaning(c.Key), c.Value))]);
    }

    /// <summary>The same for an array.</summary>
    internal static StoredMask Of<T>(T[] stored, int width, int height, Func<int, int> meaning, string source)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> => Of<T>(stored.AsSpan(), width, height, meaning, source);

    /// <summary>The same for labels that have their meaning already; one beyond the classes means nothing.</summary>
    internal static StoredMask Of(LabelMap labels, int classes, string source)
    {
        if (labels is null)
        {
            throw DatasetCheck.Missing(source, DatasetCheck.Labels);
        }

        int none = labels.IsWide ? LabelMap.WideIgnore : LabelMap.Ignore;
        int Meaning(int value) => value == none ? StoredValue.Ignored : value < classes ? value : -1;
        return labels.Wide is { } wide
            ? Of(wide.Labels, labels.Width, labels.Height, Meaning, source)
            : Of(labels.Labels, labels.Width, labels.Height, Meaning, source);
    }

    private static bool IsVoid(StoredValue value) => value is { Value: LabelMap.Ignore or LabelMap16.Unlabelled, Meaning: StoredValue.Ignored };
}
