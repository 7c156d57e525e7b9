using System.Globalization;

namespace Ldvc.Lab.Reports;

/// <summary>About how wide text is, in the font's size: a drawing has to leave room for names before a browser measures them.</summary>
internal static class TextWidth
{
    private const double Ellipsis = 1;

    /// <summary>The width of a text; rather too much than too little.</summary>
    internal static double Of(string text)
    {
        double width = 0;
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            width += OfElement(elements.GetTextElement());
        }

        return width;
    }

    /// <summary>A text that is no wider, with an ellipsis if something is missing.</summary>
    internal static string Cut(string text, double width)
    {
        if (Of(text) <= width)
        {
            return text;
        }

        double used = Ellipsis;
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext() && (used += OfElement(elements.GetTextElement())) <= width)
        {
        }

        return text[..elements.ElementIndex] + "\u2026";
    }

    // A sans-serif's: thin letters, the usual ones, wide ones, and those of East Asia and pictures, which are squares.
    private static double OfElement(string element) => element[0] switch
    {
        'i' or 'j' or 'l' or 'I' or '.' or ',' or ';' or ':' or '\'' or '|' or ' ' or '(' or ')' => 0.4,
        'm' or 'w' or 'M' or 'W' or '@' or '%' => 1,
        >= 'A' and <= 'Z' => 0.75,
        >= '\u2E80' => 1.1,
        _ => 0.63,
    };
}
