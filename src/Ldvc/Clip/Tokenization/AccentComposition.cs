using System.Text;

namespace Ldvc.Clip.Tokenization;

/// <summary>
/// Composes a Latin letter and the accent after it (as macOS file names have them) into the one character the vocabulary knows. The program runs
/// without culture data, where the framework's own normalisation leaves text as it is; this covers the accents of European languages.
/// </summary>
internal static class AccentComposition
{
    private static readonly (char Mark, string Letters, string Composed)[] Table =
    [
        ('\u0300', "AEIOUaeiouNn", "ÀÈÌÒÙàèìòùǸǹ"),
        ('\u0301', "AEIOUYaeiouyCcLlNnRrSsZz", "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹź"),
        ('\u0302', "AEIOUaeiouCcGgHhJjSsWwYy", "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷ"),
        ('\u0303', "AINOUainou", "ÃĨÑÕŨãĩñõũ"),
        ('\u0304', "AEIOUaeiou", "ĀĒĪŌŪāēīōū"),
        ('\u0306', "AEGIOUaegiou", "ĂĔĞĬŎŬăĕğĭŏŭ"),
        ('\u0307', "CEGIZcegz", "ĊĖĠİŻċėġż"),
        ('\u0308', "AEIOUYaeiouy", "ÄËÏÖÜŸäëïöüÿ"),
        ('\u030A', "AUau", "ÅŮåů"),
        ('\u030B', "OUou", "ŐŰőű"),
        ('\u030C', "CDENRSTZcdenrstz", "ČĎĚŇŘŠŤŽčďěňřšťž"),
        ('\u0327', "CGKLNRSTcgklnrst", "ÇĢĶĻŅŖŞŢçģķļņŗşţ"),
        ('\u0328', "AEIUaeiu", "ĄĘĮŲąęįų"),
    ];

    /// <summary>The text with letter and accent pairs of the table composed.</summary>
    public static string Compose(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            char composed = c is >= '\u0300' and <= '\u0328' && result.Length > 0 ? Find(result[^1], c) : '\0';
            if (composed == '\0')
            {
                result.Append(c);
            }
            else
            {
                result[^1] = composed;
            }
        }

        return result.ToString();
    }

    private static char Find(char letter, char mark)
    {
        foreach ((char entry, string letters, string composed) in Table)
        {
            int at = entry == mark ? letters.IndexOf(letter) : -1;
            if (at >= 0)
            {
                return composed[at];
            }
        }

        return '\0';
    }
}
