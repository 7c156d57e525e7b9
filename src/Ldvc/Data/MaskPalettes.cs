namespace Ldvc.Data;

/// <summary>
/// Masks with palettes in which one number has several colours. Programs that reduce pictures to a palette, or make such files smaller, number the
/// colours anew in each file: the colours are the classes then, and the numbers that are read say something else in every mask.
/// </summary>
internal static class MaskPalettes
{
    private const int Grey = 0x010101;

    /// <summary>A sentence when a number has two colours, else null.</summary>
    internal static string? Find(IEnumerable<StoredMask> masks)
    {
        var first = new Dictionary<int, (int Colour, string Source)>();
        foreach (StoredMask mask in masks)
        {
            for (int i = 0; i < mask.Values.Count && HasColours(mask); i++)
            {
                (int value, int colour) = (mask.Values[i].Value, mask.Colours![i]);
                if (colour >= 0 && !first.TryAdd(value, (colour, mask.Source)) && first[value].Colour != colour)
                {
                    return $"the palettes differ: the number {value} is the colour {MaskColours.Show(first[value].Colour)} in "
                        + $"{first[value].Source} and {MaskColours.Show(colour)} in {mask.Source}, and the number is what counts; where the colours "
                        + "are right and the numbers are not, data.colors of data.kind: folder reads the colours";
                }
            }
        }

        return null;
    }

    // A palette that shows each number as the grey of that number says nothing besides.
    private static bool HasColours(StoredMask mask) =>
        mask.Colours is { } colours && mask.Values.Zip(colours).Any(pair => pair.First.Value * Grey != pair.Second);
}
