using System.Globalization;
using System.Net;
using System.Text;

namespace Ldvc.Clip.Tokenization;

/// <summary>
/// What CLIP does to a text before splitting it: HTML entities decoded twice, white space collapsed to single blanks and trimmed, lower case as
/// Python has it. Of ftfy's repairs only the composition of accents is done (see <see cref="AccentComposition"/>).
/// </summary>
internal static class TextCleaning
{
    /// <summary>The cleaned text; well-formed UTF-16 whatever came in.</summary>
    public static string Clean(string text)
    {
        string decoded = AccentComposition.Compose(WellFormed(WebUtility.HtmlDecode(WebUtility.HtmlDecode(text))));
        var clean = new StringBuilder(decoded.Length);
        foreach (char c in decoded)
        {
            // Python's white space has the four separators U+001C to U+001F besides Unicode's.
            if (!char.IsWhiteSpace(c) && c is < '\u001C' or > '\u001F')
            {
                clean.Append(c);
            }
            else if (clean.Length > 0 && clean[^1] != ' ')
            {
                clean.Append(' ');
            }
        }

        return Lower(clean.ToString().TrimEnd(' '));
    }

    private static string Lower(string text)
    {
        // The two places where Python's lower() is more than a character-by-character map.
        string lower = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
        if (!text.Contains('\u03A3'))
        {
            return lower;
        }

        var sigma = new StringBuilder(lower);
        string spread = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        for (int i = 0; i < spread.Length; i++)
        {
            if (spread[i] == '\u03A3' && LetterBeside(spread, i, -1) && !LetterBeside(spread, i, 1))
            {
                sigma[i] = '\u03C2';
            }
        }

        return sigma.ToString();
    }

    /// <summary>Whether the next character in a direction, marks and apostrophes skipped, is a letter with case.</summary>
    private static bool LetterBeside(string text, int at, int step)
    {
        for (int i = at + step; i >= 0 && i < text.Length; i += step)
        {
            UnicodeCategory category = char.GetUnicodeCategory(text[i]);
            bool ignorable = text[i] is '\'' or '.' or ':' or '\u00B7' or '\u2019'
                || category is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
            if (!ignorable)
            {
                return category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
            }
        }

        return false;
    }

    /// <summary>Half a surrogate pair has no bytes: it becomes U+FFFD.</summary>
    private static string WellFormed(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            result.Append(rune.ToString());
        }

        return result.ToString();
    }
}
