using System.Globalization;
using System.Text;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>How a class name is written, wherever it comes from, and which two are the same.</summary>
internal static class NameSpelling
{
    // What web pages and editors leave in copied text and nobody sees: soft hyphen, zero-width space, word joiner and byte order mark, and whatever
    // sets the direction of writing.
    private static readonly (int First, int Last)[] s_invisible =
    [
        (0x00AD, 0x00AD), (0x061C, 0x061C), (0x180E, 0x180E), (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064),
        (0x2066, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB),
    ];

    // What shapes the sign before it, in scripts other than Latin and in emoji: joiners, variants, tags. Behind a Latin letter it does nothing.
    private static readonly (int First, int Last)[] s_shaping =
    [
        (0x200C, 0x200D), (0xFE00, 0xFE0F), (0xE0000, 0xE007F), (0xE0100, 0xE01EF),
    ];

    /// <summary>Names are equal that the text encoder cannot tell apart.</summary>
    public static IEqualityComparer<string> Comparer { get; } = EqualityComparer<string>.Create(
        (a, b) => a is null ? b is null : b is not null && Key(a) == Key(b), name => Key(name).GetHashCode(StringComparison.Ordinal));

    /// <summary>The name with blanks trimmed and collapsed and without invisible characters; perhaps empty.</summary>
    /// <param name="text">A name as it was typed.</param>
    /// <param name="source">Where it stood, for messages.</param>
    /// <exception cref="InputException">It holds a line break, another control character, or what was not UTF-8.</exception>
    public static string Normalize(string text, string source)
    {
        var name = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            // Bytes that are not UTF-8 have become this character on their way here; so does half a surrogate pair.
            if (rune == Rune.ReplacementChar)
            {
                throw new InputException($"{source}: expected class names in UTF-8, found {ConfigText.Quote(text.Trim())} with bytes that are not");
            }

            if (IsLineBreak(rune.Value))
            {
                throw new InputException($"{source}: expected class names without line breaks, found one in {ConfigText.Quote(text.Trim())}");
            }

            if (Rune.IsWhiteSpace(rune))
            {
                if (name.Length > 0 && name[^1] != ' ')
                {
                    name.Append(' ');
                }
            }
            else if (Rune.IsControl(rune))
            {
                string code = rune.Value.ToString("X4", CultureInfo.InvariantCulture);
                throw new InputException(
                    $"{source}: expected class names without control characters, found U+{code} in {ConfigText.Quote(text.Trim())}");
            }
            else if (!IsInvisible(rune.Value, name.Length == 0 ? ' ' : name[^1]))
            {
                name.Append(rune.ToString());
            }
        }

        return name.ToString().TrimEnd(' ');
    }

    /// <summary>What two names have in common that the text encoder cannot tell apart.</summary>
    /// <param name="name">A name as <see cref="Normalize"/> gives it.</param>
    public static string Key(string name) => TextCleaning.Clean(name);

    private static bool IsInvisible(int c, char before) =>
        IsIn(s_invisible, c) || ((before == ' ' || char.IsAsciiLetter(before)) && IsIn(s_shaping, c));

    private static bool IsIn((int First, int Last)[] ranges, int c) => Array.Exists(ranges, range => c >= range.First && c <= range.Last);

    private static bool IsLineBreak(int c) => c is >= '\n' and <= '\r' or 0x85 or 0x2028 or 0x2029;
}
