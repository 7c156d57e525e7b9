using System.Text.RegularExpressions;

namespace Ldvc.Tests.Gpu;

/// <summary>One instruction of a PTX function.</summary>
/// <param name="Predicate">The register it depends on, or null.</param>
/// <param name="Opcode">With all its suffixes.</param>
/// <param name="Operands">As written, vectors in braces and addresses in brackets kept whole.</param>
/// <param name="Text">The line.</param>
internal sealed record PtxInstruction(string? Predicate, string Opcode, string[] Operands, string Text);

/// <summary>A function or kernel of a PTX module.</summary>
internal sealed class PtxFunction
{
    internal required string Header { get; init; }

    internal bool IsKernel => Header.Contains(".entry");

    internal List<PtxInstruction> Instructions { get; } = [];

    internal List<string> Labels { get; } = [];

    /// <summary>Lines that start with a dot inside the body.</summary>
    internal List<string> Declarations { get; } = [];
}

/// <summary>PTX split into functions and instructions; strict about the forms that it knows, since it stands in for an assembler.</summary>
internal sealed partial class PtxText
{
    internal PtxText(string text)
    {
        Text = text;
        string[] lines = [.. text.Split('\n').Select(line => line.Trim())];
        Directives = [.. lines.Where(line => Directive().IsMatch(line))];
        int at = 0;
        while (at < lines.Length)
        {
            if (!lines[at].StartsWith(".visible", StringComparison.Ordinal))
            {
                at++;
                continue;
            }

            int start = at;
            while (lines[at] is not ("{" or ";"))
            {
                at++;
            }

            if (lines[at] == "{")
            {
                var function = new PtxFunction { Header = string.Join('\n', lines[start..at]) };
                for (at++; lines[at] != "}"; at++)
                {
                    Parse(function, lines[at]);
                }

                Functions.Add(function);
            }
        }
    }

    internal string Text { get; }

    /// <summary>.version, .target and .address_size.</summary>
    internal IReadOnlyList<string> Directives { get; }

    internal List<PtxFunction> Functions { get; } = [];

    internal PtxFunction Kernel => Functions.Single(function => function.IsKernel);

    /// <summary>Splits at commas outside braces and brackets.</summary>
    internal static string[] Split(string operands)
    {
        var parts = new List<string>();
        int depth = 0, start = 0;
        for (int i = 0; i < operands.Length; i++)
        {
            depth += operands[i] is '{' or '[' or '(' ? 1 : operands[i] is '}' or ']' or ')' ? -1 : 0;
            if (operands[i] == ',' && depth == 0)
            {
                parts.Add(operands[start..i].Trim());
                start = i + 1;
            }
        }

        parts.Add(operands[start..].Trim());
        return [.. parts.Where(part => part.Length > 0)];
    }

    private static void Parse(PtxFunction function, string line)
    {
        if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal))
        {
            return;
        }

        if (line.StartsWith('.'))
        {
            function.Declarations.Add(line);
        }
        else if (line.EndsWith(':'))
        {
            function.Labels.Add(line[..^1]);
        }
        else
        {
            var match = Instruction().Match(line);
            if (!match.Success)
            {
                throw new FormatException($"not an instruction: {line}");
            }

            function.Instructions.Add(
                new PtxInstruction(match.Groups[1].Success ? match.Groups[1].Value : null, match.Groups[2].Value, Split(match.Groups[3].Value), line));
        }
    }

    [GeneratedRegex(@"^\.(version|target|address_size)\s")]
    private static partial Regex Directive();

    [GeneratedRegex(@"^(?:@!?(%p\d+)\s+)?([a-z][\w.:]*)\s*(.*);$")]
    private static partial Regex Instruction();
}
