using System.Globalization;
using System.Text;

namespace Ldvc.Clip.Tokenization;

/// <summary>
/// Splits cleaned text into CLIP's words: the two special tokens, the endings 's 't 're 've 'm 'll 'd, runs of letters, single digits, and runs of
/// anything else but white space. Written by hand because a .NET regular expression sees UTF-16 units: a letter beyond U+FFFF would be no letter.
/// </summary>
internal static class WordSplitter
{
    /// <summary>The token in front of every text.</summary>
    public const string StartOfText = "<|startoftext|>";

    /// <summary>The token after every text.</summary>
    public const string EndOfText = "<|endoftext|>";

    private static readonly string[] Fixed = [StartOfText, EndOfText, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    /// <summary>
    /// Whether a cleaned text holds what stands around every text: the features of a text are those of its first end, so the rest would not count.
    /// </summary>
    public static bool HasEnd(string cleaned) =>
        cleaned.Contains(StartOfText, StringComparison.Ordinal) || cleaned.Contains(EndOfText, StringComparison.Ordinal);

    /// <summary>The words in order; <paramref name="text"/> is lower case and well-formed.</summary>
    public static IEnumerable<string> Split(string text)
    {
        int at = 0;
        while (at < text.Length)
        {
            int length = WordLength(text, at, out bool word);
            if (word)
            {
                yield return text.Substring(at, length);
            }

            at += length;
        }
    }

    private static int WordLength(string text, int at, out bool word)
    {
        word = true;
        foreach (string token in Fixed)
        {
            if (string.CompareOrdinal(text, at, token, 0, token.Length) == 0)
            {
                return token.Length;
            }
        }

        // Case-insensitively the long s is an s; it has no other case here.
        if (string.CompareOrdinal(text, at, "'\u017F", 0, 2) == 0)
        {
            return 2;
        }

        Kind kind = KindAt(text, at, out int length);
        word = kind != Kind.Space;
        if (kind is Kind.Space or Kind.Number)
        {
            return length;
        }

        int end = at + length;
        while (end < text.Length && KindAt(text, end, out int more) == kind)
        {
            end += more;
        }

        return end - at;
    }

    private static Kind KindAt(string text, int at, out int length)
    {
        Rune rune = Rune.GetRuneAt(text, at);
        length = rune.Utf16SequenceLength;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}
