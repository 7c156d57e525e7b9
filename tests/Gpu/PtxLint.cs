using System.Globalization;
using System.Text.RegularExpressions;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// What an assembler for sm_80 would refuse, as far as it shows in the text: registers are declared, written before they can be read anywhere, and of
/// the width and kind that an instruction's type asks for; instructions, their types and the shapes of mma and cp.async exist; labels exist;
/// constant parts of vector addresses are aligned. Returns sentences, none when all is well.
/// </summary>
internal static partial class PtxLint
{
    internal static List<string> Check(PtxText ptx)
    {
        var errors = new List<string>();
        foreach (var (wanted, pattern) in new[] { (".version 7.0 or later", @"^\.version\s+([789])\.\d$"), (".target sm_80", @"^\.target\s+sm_80$"), (".address_size 64", @"^\.address_size\s+64$") })
        {
            if (ptx.Directives.Count(line => Regex.IsMatch(line, pattern)) != 1)
            {
                errors.Add($"expected one {wanted}");
            }
        }

        if (ptx.Functions.Count(function => function.IsKernel) != 1)
        {
            errors.Add("expected one kernel");
        }

        foreach (var function in ptx.Functions)
        {
            Check(function, errors);
        }

        return errors;
    }

    /// <summary>Bytes of the kernel's .shared declarations.</summary>
    internal static int SharedBytes(PtxText ptx) => ptx.Kernel.Declarations
        .Select(line => SharedDeclaration().Match(line)).Where(match => match.Success).Sum(match => int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture));

    private static void Check(PtxFunction function, List<string> errors)
    {
        var declared = new Dictionary<string, (string Type, int Count)>();
        foreach (string line in function.Declarations)
        {
            var register = RegisterDeclaration().Match(line);
            if (register.Success)
            {
                declared[register.Groups[2].Value] = (register.Groups[1].Value, int.Parse(register.Groups[3].Value, CultureInfo.InvariantCulture));
            }
            else if (SharedDeclaration().Match(line) is { Success: true } shared)
            {
                int align = int.Parse(shared.Groups[1].Value, CultureInfo.InvariantCulture);
                if (align is not (1 or 2 or 4 or 8 or 16 or 32 or 64 or 128))
                {
                    errors.Add($"alignment: {line}");
                }
            }
            else
            {
                errors.Add($"unknown declaration: {line}");
            }
        }

        var written = new HashSet<string>();
        foreach (var instruction in function.Instructions)
        {
            written.UnionWith(PtxForms.Written(instruction));
        }

        foreach (var instruction in function.Instructions)
        {
            foreach (Match match in Register().Matches(instruction.Text))
            {
                var (type, count) = declared.GetValueOrDefault(match.Groups[1].Value);
                if (type is null || int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) >= count)
                {
                    errors.Add($"{match.Value} is not declared: {instruction.Text}");
                }
                else if (!written.Contains(match.Value))
                {
                    errors.Add($"{match.Value} is never written: {instruction.Text}");
                }
            }

            if (instruction.Opcode.StartsWith("bra", StringComparison.Ordinal) && !function.Labels.Contains(instruction.Operands[0]))
            {
                errors.Add($"no such label: {instruction.Text}");
            }

            if (PtxForms.Problem(instruction, declared) is { } problem)
            {
                errors.Add($"{problem}: {instruction.Text}");
            }
        }

        if (function.Labels.Distinct().Count() != function.Labels.Count)
        {
            errors.Add("a label stands twice");
        }

        if (function.Instructions.Count == 0 || !(function.Instructions[^1].Opcode is "ret" || (function.Instructions[^1].Opcode == "bra.uni" && function.Instructions[^1].Predicate is null)))
        {
            errors.Add("control runs off the end of a function");
        }
    }

    [GeneratedRegex(@"^\.reg\s+\.(\w+)\s+%([a-z]+)<(\d+)>;$")]
    private static partial Regex RegisterDeclaration();

    [GeneratedRegex(@"^\.shared\s+\.align\s+(\d+)\s+\.b8\s+(\w+)\[(\d+)\];$")]
    private static partial Regex SharedDeclaration();

    [GeneratedRegex(@"%(p|rs|rd|r|fd|f)(\d+)\b")]
    private static partial Regex Register();
}
