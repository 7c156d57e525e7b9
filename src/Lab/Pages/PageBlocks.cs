using System.Text;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pages;

/// <summary>
/// The parts of a Markdown page that are made from the ledger: between a line that names an entry and its views, and a line that ends it. Readers of
/// the page see neither.
/// </summary>
internal static partial class PageBlocks
{
    private const string End = "<!-- ledger end -->";

    /// <summary>The line that begins a block.</summary>
    [GeneratedRegex(@"^<!-- ledger: (?<name>\S+) (?<views>[a-z, -]+[a-z]) -->$")]
    private static partial Regex Beginning { get; }

    /// <summary>Makes the blocks of a page anew.</summary>
    /// <param name="page">The page's name, for messages.</param>
    /// <param name="text">The page, with line breaks of one sign.</param>
    /// <param name="render">Lines of a block, from the entry's name and its views.</param>
    /// <returns>The page as it should be.</returns>
    /// <exception cref="InputException">A line looks like one of ours and is not as it should be, or an end is missing.</exception>
    internal static string Fill(string page, string text, Func<string, string[], IEnumerable<string>> render)
    {
        var result = new StringBuilder();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            Append(lines[i], i == lines.Length - 1);
            if (!lines[i].StartsWith("<!-- ledger", StringComparison.Ordinal))
            {
                continue;
            }

            Match start = Beginning.Match(lines[i]);
            int end = Array.IndexOf(lines, End, i + 1);
            int next = Array.FindIndex(lines, i + 1, line => line.StartsWith("<!-- ledger:", StringComparison.Ordinal));
            if (!start.Success || end < 0 || (next >= 0 && next < end))
            {
                throw new InputException(
                    $"{page}, line {i + 1}: expected '<!-- ledger: ENTRY VIEW, VIEW -->' and below it '{End}', "
                    + $"found {ConfigText.Quote(lines[i])}{(start.Success ? " without an end" : "")}");
            }

            foreach (string line in render(start.Groups["name"].Value, start.Groups["views"].Value.Split(',', StringSplitOptions.TrimEntries)))
            {
                Append(line, last: false);
            }

            Append(End, end == lines.Length - 1);
            i = end;
        }

        return result.ToString();

        void Append(string line, bool last) => result.Append(line).Append(last ? "" : "\n");
    }

    /// <summary>Lines of at most 150 signs, broken at blanks.</summary>
    internal static IEnumerable<string> Wrap(string text, string indent = "")
    {
        const int widest = 150;
        var line = new StringBuilder();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > widest)
            {
                yield return line.ToString();
                line.Clear().Append(indent).Append(word);
            }
            else
            {
                line.Append(line.Length > 0 ? " " : "").Append(word);
            }
        }

        yield return line.ToString();
    }
}
