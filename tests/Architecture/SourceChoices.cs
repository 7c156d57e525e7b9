using System.Globalization;
using System.Text.RegularExpressions;

namespace Ldvc.Tests.Architecture;

/// <summary>
/// Numbers in a source text that somebody chose: constants that follow from no other, what a compiler is told of groups, and numbers in code that are
/// larger than a warp. Smaller ones in code are the layout of registers and lanes; hexadecimal ones are patterns of bits.
/// </summary>
internal static partial class SourceChoices
{
    private const int Warp = 32;

    /// <summary>What was found: "Name = value" for constants and hints, the number alone for others.</summary>
    internal static IEnumerable<string> In(string text)
    {
        string code = Silent().Replace(text, match => match.Value.StartsWith('\'') ? "' '" : " ");
        foreach (Match declaration in Constants().Matches(code))
        {
            foreach (string part in Parts(declaration.Groups["list"].Value))
            {
                string[] sides = part.Split('=', 2);
                string value = sides[^1].TrimStart('>').Trim();
                if (!value.Contains("0x", StringComparison.OrdinalIgnoreCase) && !Names().IsMatch(value))
                {
                    yield return $"{sides[0].Trim()} = {value}";
                }
            }
        }

        foreach (Match hint in Hints().Matches(code))
        {
            yield return $"{hint.Groups["name"].Value} = {hint.Groups["value"].Value}";
        }

        foreach (Match number in Numbers().Matches(Constants().Replace(code, " ")))
        {
            if (decimal.Parse(number.Groups["digits"].Value, CultureInfo.InvariantCulture) > Warp)
            {
                yield return number.Groups["digits"].Value;
            }
        }
    }

    // What commas outside of parentheses part.
    private static IEnumerable<string> Parts(string list)
    {
        int depth = 0, start = 0;
        for (int i = 0; i < list.Length; i++)
        {
            depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
            if (list[i] == ',' && depth == 0)
            {
                yield return list[start..i];
                start = i + 1;
            }
        }

        yield return list[start..];
    }

    // Comments, texts and characters.
    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", RegexOptions.Singleline)]
    private static partial Regex Silent();

    // Constants, and properties that are one.
    [GeneratedRegex(@"\b(?:const|static)\s+(?:readonly\s+)?n?u?(?:int|long|short|byte)\s+(?<list>\w+\s*=[^;{}]*);")]
    private static partial Regex Constants();

    // An identifier other than sizeof(type) and the suffix of a number.
    [GeneratedRegex(@"(?<!\w)(?!sizeof\b)(?<!sizeof\(\s*)[A-Za-z_]\w*")]
    private static partial Regex Names();

    [GeneratedRegex(@"\b(?<name>GroupsPerMultiprocessor)\s*=\s*(?<value>\d+)")]
    private static partial Regex Hints();

    [GeneratedRegex(@"(?<![\w.])(?<digits>\d+)[uUlL]{0,2}(?![\w.])")]
    private static partial Regex Numbers();
}
