using System.Globalization;
using System.Text;

namespace Ldvc.Lab.Reports;

/// <summary>Text and numbers as they may stand in HTML, which here is also well-formed XML.</summary>
internal static class HtmlText
{
    /// <summary>Escapes markup and quotes; what XML forbids (control characters, halves of surrogate pairs) becomes U+FFFD.</summary>
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': result.Append("&amp;"); break;
                case '<': result.Append("&lt;"); break;
                case '>': result.Append("&gt;"); break;
                case '"': result.Append("&quot;"); break;
                case '\'': result.Append("&#39;"); break;
                case '\t' or '\n' or '\r': result.Append((char)rune.Value); break;
                case < 32 or 0xFFFE or 0xFFFF: result.Append('\uFFFD'); break;
                default: result.Append(rune.ToString()); break;
            }
        }

        return result.ToString();
    }

    /// <summary>A coordinate or percentage, short and with a decimal point.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
