using System.Globalization;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Signs that a list of names was written for another program: numbers, brackets, dashes, quotes or commas around the names, which would become parts
/// of them. The text encoder takes "1: cat" without a word, and finds something else.
/// </summary>
internal static partial class ListMarks
{
    // Two names with quotes may be meant so.
    private const int FewBlanks = 3;
    private const string Bullets = "*+\u2022\u00B7\u2013\u2014";

    // Opening and closing.
    private static readonly string[] s_quotes =
        ["\"\"", "''", "``", "\u201C\u201D", "\u2018\u2019", "\u201E\u201C", "\u201E\u201D", "\u00AB\u00BB"];

    private static readonly string[] s_brackets = ["[]", "{}", "()"];

    /// <summary>Refuses a list that has such signs on all of its entries.</summary>
    /// <param name="entries">The entries, trimmed, without empty ones.</param>
    /// <param name="source">A file or an option, for messages.</param>
    /// <exception cref="InputException">It has.</exception>
    public static void Refuse(IReadOnlyList<string> entries, string source)
    {
        if (entries.Count > 0 && (AroundAll(entries) ?? AroundEach(entries)) is { } mark)
        {
            throw new InputException($"{source}: expected the names alone, found {mark}, as in {ConfigText.Quote(entries[^1])}");
        }
    }

    private static string? AroundAll(IReadOnlyList<string> entries)
    {
        string first = entries[0], last = entries[^1];
        bool bracketed = (first[0], last[^1]) is ('[', ']') or ('{', '}')
            || (entries.Count > 1 && Array.Exists(s_brackets, pair => IsOpen(first, pair) && last[^1] == pair[1]));
        return bracketed ? "brackets around the list"
            : entries.Count > 1 && Array.Exists(
                s_quotes, pair => first[0] == pair[0] && first[^1] != pair[1] && last[^1] == pair[1] && last[0] != pair[0]) ? "quotes around the list"
            : null;
    }

    private static string? AroundEach(IReadOnlyList<string> entries)
    {
        // "names:" of YAML stands before what is numbered or has dashes.
        bool titled = entries.Count > 1 && entries[0].IndexOf(':', StringComparison.Ordinal) == entries[0].Length - 1;
        IReadOnlyList<string> names = titled ? [.. entries.Skip(1)] : entries;
        return names.All(entry => entry.StartsWith("- ", StringComparison.Ordinal)) ? "a dash before each"
            : names.All(entry => entry.Length > 1 && entry[1] == ' ' && entry[0] == names[0][0] && Bullets.Contains(entry[0]))
                ? "a bullet before each"
            : names.Count > 1 && names.Take(names.Count - 1).All(entry => entry.Length > 1 && entry[^1] == ',') ? "a comma behind each"
            : names.Count > 1 && names.All(IsQuoted) ? "quotes around each"
            : Matches(names, Identified()).Length > 1 ? "an identifier before each"
            : Matches(names, Coloured()).Length > 1 ? "a colour beside each (data.colors is for these)"
            : AreNumbered(names) ? "a number before each (the first name is class 0, and so on)"
            : AreCounted(names) ? "a number behind each (the first name is class 0, and so on)"
            : null;
    }

    private static bool IsOpen(string entry, string pair) => entry.LastIndexOf(pair[0]) > entry.LastIndexOf(pair[1]);

    private static bool IsQuoted(string entry) => entry.Length > 2 && Array.Exists(s_quotes, pair => entry[0] == pair[0] && entry[^1] == pair[1]);

    private static bool AreNumbered(IReadOnlyList<string> entries)
    {
        Match[] matches = Matches(entries, Numbered());
        if (matches.Length < 2)
        {
            return false;
        }

        int[] numbers = [.. matches.Select(match => Number(match.Groups[1]))];
        bool ascending = numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second);

        // "1 star" and "2 star" differ in the number alone: it is part of the name.
        return AreDifferent(matches, 3) && (matches.All(match => match.Groups[2].Value.AsSpan().IndexOfAny(':', '\t') >= 0) ? ascending
            : ascending && IsCount(numbers)
                && (matches.Length >= FewBlanks || matches.All(match => match.Groups[2].Value.Trim().Length > 0)));
    }

    // "cat: 0", "cat;0", "cat 0": columns the other way round.
    private static bool AreCounted(IReadOnlyList<string> entries)
    {
        Match[] matches = Matches(entries, Counted());
        return matches.Length >= 2 && AreDifferent(matches, 1) && IsCount([.. matches.Select(match => Number(match.Groups[3]))])
            && (matches.Length >= FewBlanks || matches.All(match => match.Groups[2].Value.Trim(' ').Length > 0));
    }

    // Of all entries, or of all but a line of titles; none when one does not match.
    private static Match[] Matches(IReadOnlyList<string> entries, Regex form)
    {
        // The last entry alone tells of most lists that they are none: a match costs more memory than its entry.
        Match[] matches = entries.Count > 0 && form.IsMatch(entries[^1]) ? [.. entries.Select(entry => form.Match(entry))] : [];
        bool titled = matches.Length > 1 && !matches[0].Success
            && (matches.Length > FewBlanks || entries[0].AsSpan().IndexOfAny('\t', ',') >= 0);
        matches = titled ? matches[1..] : matches;
        return Array.TrueForAll(matches, match => match.Success) ? matches : [];
    }

    private static bool AreDifferent(Match[] matches, int group) =>
        matches.Select(match => match.Groups[group].Value).Distinct(StringComparer.OrdinalIgnoreCase).Count() == matches.Length;

    private static bool IsCount(int[] numbers) => numbers[0] is 0 or 1 && numbers.Zip(numbers.Skip(1)).All(pair => pair.First + 1 == pair.Second);

    private static int Number(Group group) => int.Parse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    // WordNet's and Freebase's, as ImageNet and Open Images have them.
    [GeneratedRegex(@"^(n[0-9]{8}|/[mg]/[0-9a-z_]+)[\s,;:]+\S", RegexOptions.NonBacktracking)]
    private static partial Regex Identified();

    // Red, green and blue, on either side of the name; CVAT has more behind a colon.
    [GeneratedRegex(
        @"^([0-9]{1,3}[\s,;]+){3}\S|\S[\s,;:]+[0-9]{1,3}[\s,;]+[0-9]{1,3}[\s,;]+[0-9]{1,3}(:.*)?$", RegexOptions.NonBacktracking)]
    private static partial Regex Coloured();

    // A number, what stands between, the name.
    [GeneratedRegex(@"^([0-9]{1,5})(\s*[:=|]\s*|\s*[.,;)\]-]\s+|[,;)\]]|\s+)(\S.*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Numbered();

    // The name, what stands between, a number.
    [GeneratedRegex(@"^(.*[^\s:=|,;])(\s*[:=|,;]\s*|\s+)([0-9]{1,5})[,;]?$", RegexOptions.NonBacktracking)]
    private static partial Regex Counted();
}
