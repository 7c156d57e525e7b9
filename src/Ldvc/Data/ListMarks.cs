using System.Globalization;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Signs that a list of names was written for another program: numbers, brackets, dashes or quotes around the names, which would become parts of
/// them. The text encoder takes "1: cat" without a word, and finds something else.
/// </summary>
internal static partial class ListMarks
{
    // Two names with quotes may be meant so.
    private const int FewBlanks = 3;

    /// <summary>Refuses a list that has such signs on all of its entries.</summary>
    /// <param name="entries">The entries, trimmed, without empty ones.</param>
    /// <param name="source">A file or an option, for messages.</param>
    /// <exception cref="InputException">It has.</exception>
    public static void Refuse(IReadOnlyList<string> entries, string source)
    {
        if (entries.Count == 0)
        {
            return;
        }

        string first = entries[0], last = entries[^1];
        string? mark = (first[0], last[^1]) is ('[', ']') or ('{', '}') ? "brackets around the list"
            : entries.All(entry => entry.StartsWith("- ", StringComparison.Ordinal)) ? "a dash before each"
            : entries.Count > 1 && entries.All(IsQuoted) ? "quotes around each"
            : AreNumbered(entries) ? "a number before each (the first name is class 0, and so on)"
            : null;
        if (mark is not null)
        {
            throw new InputException($"{source}: expected the names alone, found {mark}, as in {ConfigText.Quote(entries[^1])}");
        }
    }

    private static bool IsQuoted(string entry) => entry.Length > 2 && entry[0] == entry[^1] && entry[0] is '"' or '\'';

    // Tables may have a line of titles.
    private static bool AreNumbered(IReadOnlyList<string> entries)
    {
        Match[] lines = [.. entries.Select(entry => Numbered().Match(entry))];
        Match[] matches = [.. lines.SkipWhile((line, i) => i == 0 && !line.Success && entries[0].AsSpan().IndexOfAny('\t', ',') >= 0)];
        if (matches.Length < 2 || !matches.All(match => match.Success))
        {
            return false;
        }

        int[] numbers = [.. matches.Select(match => int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture))];
        bool ascending = numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second);
        bool counted = ascending && numbers[0] is 0 or 1 && numbers[^1] - numbers[0] == numbers.Length - 1;

        // "1 star" and "2 star" differ in the number alone: it is part of the name.
        bool differ = matches.Select(match => match.Groups[3].Value).Distinct(StringComparer.OrdinalIgnoreCase).Count() == matches.Length;
        return differ && (matches.All(match => match.Groups[2].Value.AsSpan().IndexOfAny(':', '\t') >= 0) ? ascending
            : counted && (matches.Length >= FewBlanks || matches.All(match => match.Groups[2].Value.Trim().Length > 0)));
    }

    // A number, what stands between, the name.
    [GeneratedRegex(@"^([0-9]{1,5})(\s*[:=|]\s*|\s*[.,;)\]-]\s+|[,;)\]]|\s+)(\S.*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Numbered();
}
