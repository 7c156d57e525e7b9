using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>How names and shapes that come from an untrusted file are shown in messages: short, on one line, without control characters.</summary>
internal static class ArchiveText
{
    private const int MaxShown = 80;

    /// <summary>The text in single quotes; cut after 80 characters, anything unprintable as '?'.</summary>
    public static string Quote(string text)
    {
        var shown = new StringBuilder("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaxShown)))
        {
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return shown.Append(text.Length > MaxShown ? "...'" : "'").ToString();
    }

    /// <summary>A shape as [2, 3]; cut after 8 sizes.</summary>
    public static string Shape(ReadOnlySpan<long> shape)
    {
        var shown = new StringBuilder("[");
        for (int i = 0; i < shape.Length && i < 8; i++)
        {
            shown.Append(i == 0 ? "" : ", ").Append(shape[i]);
        }

        return shown.Append(shape.Length > 8 ? ", ...]" : "]").ToString();
    }

    /// <summary>Multiplies a shape up; false when a size is negative, the rank exceeds 64 or the product does not fit 63 bits.</summary>
    public static bool TryCount(ReadOnlySpan<long> shape, out long count)
    {
        count = 1;
        if (shape.Length > 64)
        {
            return false;
        }

        // A zero size makes the product zero, but must not hide an overflow of the others: readers disagree on such shapes.
        long product = 1;
        foreach (long size in shape)
        {
            if (size < 0 || (size != 0 && product > long.MaxValue / size))
            {
                return false;
            }

            product *= size == 0 ? 1 : size;
            count = size == 0 ? 0 : count;
        }

        count *= product;
        return true;
    }
}
