namespace Ldvc.Data;

/// <summary>
/// Grey masks of which some have 8 bits and some fewer. Programs that take a mask for a picture store black and white in one bit: the number is 1
/// then, where it is 255 in the other masks, though viewers show the same.
/// </summary>
internal static class MaskDepths
{
    private const int Byte = 8;

    /// <summary>A sentence when a mask of fewer bits holds numbers that the others have only as greys, else null.</summary>
    internal static string? Find(IReadOnlyCollection<StoredMask> masks)
    {
        StoredMask[] whole = [.. masks.Where(mask => mask.GreyBits == Byte)];
        HashSet<int> numbers = [.. whole.SelectMany(mask => mask.Values).Select(v => v.Value)];
        foreach (StoredMask mask in masks.Where(mask => mask.GreyBits is > 0 and < Byte))
        {
            int most = (1 << mask.GreyBits) - 1, number = mask.Values[^1].Value, grey = number * byte.MaxValue / most;
            if (number > 0 && !numbers.Contains(number) && numbers.Contains(grey))
            {
                StoredMask other = whole.First(one => one.Values.Any(v => v.Value == grey));
                return $"grey PNGs have different depths: {mask.Source} has {mask.GreyBits} bit{(mask.GreyBits == 1 ? "" : "s")} a pixel and the "
                    + $"number {number}, which viewers show as they show {grey} in {other.Source} of 8 bits; expected the same number for a class in "
                    + "all masks";
            }
        }

        return null;
    }
}
