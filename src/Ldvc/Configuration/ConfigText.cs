using System.Globalization;
using System.Text;

namespace Ldvc.Configuration;

/// <summary>Names and values as text: keys from property names, numbers, quoting in messages, the nearest known word.</summary>
internal static class ConfigText
{
    private const int LongestShown = 60;

    /// <summary>WeightDecay to weight_decay (keys) or, with '-', CocoStuff to coco-stuff (enum values).</summary>
    public static string Separate(string name, char separator)
    {
        var text = new StringBuilder();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
            {
                text.Append(separator);
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    /// <summary>A number so that reading it back gives the same bits.</summary>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();

    /// <summary>Text from outside in single quotes, on one line, cut after 60 characters.</summary>
    public static string Quote(string text)
    {
        var shown = new StringBuilder("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, LongestShown)))
        {
            shown.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        }

        return shown.Append(text.Length > LongestShown ? "...'" : "'").ToString();
    }

    /// <summary>"; did you mean X?" when another known word is at most two edits away, upper and lower case alike, else nothing.</summary>
    public static string Suggest(string word, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = Math.Min(3, (word.Length / 2) + 1);
        if (word.Length <= LongestShown)
        {
            foreach (string candidate in known.Where(candidate => candidate != word))
            {
                int distance = EditDistance(word, candidate);
                if (distance < bestDistance)
                {
                    (best, bestDistance) = (candidate, distance);
                }
            }
        }

        return best is null ? "" : $"; did you mean {best}?";
    }

    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
