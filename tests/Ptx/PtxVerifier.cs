using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>
/// Says of PTX what an assembler would, as far as the text shows it: header and versions, declarations, every instruction's suffixes, operands and
/// register types, labels, control flow, that registers are written on every way to where they are read, and that threads agree where the text says
/// so. Stricter than assemblers where they are lenient: instructions that the tables of forms do not have are findings.
/// </summary>
internal static class PtxVerifier
{
    // ISA 8.0: bytes of a kernel's parameters; shared memory of a group without asking the driver for more; barrier and thread limits of sm_80 and
    // sm_90.
    private const int MaxParameterBytes = 4352;
    private const int MaxSharedBytes = 48 << 10;
    private const int MaxThreads = 1024;

    private static readonly Dictionary<string, int> s_targetVersions =
        new() { ["sm_70"] = 60, ["sm_75"] = 63, ["sm_80"] = 70, ["sm_86"] = 71, ["sm_89"] = 78, ["sm_90"] = 78 };

    /// <summary>Findings, one sentence each with its line; none when all is well.</summary>
    /// <param name="text">A PTX file.</param>
    /// <param name="target">The card that it is for, 80 for sm_80: its .target must not be newer.</param>
    internal static List<string> Check(string text, int target)
    {
        PtxModule module;
        try
        {
            module = PtxModule.Parse(text);
        }
        catch (PtxSyntaxException e)
        {
            return [e.Message];
        }

        return Check(module, target);
    }

    /// <inheritdoc cref="Check(string, int)"/>
    internal static List<string> Check(PtxModule module, int target)
    {
        var findings = new List<string>();
        Header(module, target, findings);
        foreach (var function in module.Functions)
        {
            Declarations(function, findings);
            Instructions(module, function, target, findings);
            var flow = new PtxFlow(function);
            findings.AddRange(
                PtxDefined.Unwritten(flow).Select(read => Text(function, read.Instruction, $"{read.Register} may be read before it is written")));
            findings.AddRange(PtxUniformity.Broken(flow).Select(broken => Text(function, broken.Instruction, broken.Message)));
            findings.AddRange(
                flow.Blocks.Where(block => block.RunsOff).Select(block => Text(function, block.End - 1, "control runs off the end of the function")));
            if (function.Instructions.Count == 0)
            {
                findings.Add($"line {function.Line}: {function.Name}: control runs off the end of the function: it is empty");
            }
        }

        return findings;
    }

    private static void Header(PtxModule module, int target, List<string> findings)
    {
        if (module.Version == 0 || module.Target.Length == 0 || module.AddressSize != 64)
        {
            findings.Add($"header: .version, .target and .address_size 64 expected");
        }

        if (!s_targetVersions.TryGetValue(module.Target, out int version))
        {
            findings.Add($"header: .target {module.Target} is not known, {string.Join(", ", s_targetVersions.Keys)} expected");
        }
        else if (module.Version < version)
        {
            findings.Add($"header: .target {module.Target} needs ISA {version / 10}.{version % 10}, got {module.Version / 10}.{module.Version % 10}");
        }
        else if (TargetOf(module) > target)
        {
            findings.Add($"header: .target {module.Target} does not run on sm_{target}");
        }

        if (module.Functions.Count(function => function.IsKernel) != 1)
        {
            findings.Add("expected one kernel");
        }

        var names = module.Functions.Select(function => function.Name).ToList();
        findings.AddRange(names.Where((name, i) => names.IndexOf(name) != i).Select(name => $"{name} is defined twice"));
        findings.AddRange(module.Prototypes.Where(prototype => !names.Contains(prototype.Name))
            .Select(prototype => $"line {prototype.Line}: {prototype.Name} has no body"));
    }

    private static void Declarations(PtxFunction function, List<string> findings)
    {
        void Find(bool wrong, string message)
        {
            if (wrong)
            {
                findings.Add($"line {function.Line}: {function.Name}: {message}");
            }
        }

        var variables = function.Variables.Concat(function.Parameters).Concat(function.Returns).ToList();
        foreach (var variable in variables)
        {
            Find(variable.Align is not (1 or 2 or 4 or 8 or 16 or 32 or 64 or 128), $"alignment {variable.Align} of {variable.Name}");
            Find(variable.Space == ".local", $"{variable.Name} lies in .local memory");
        }

        Find(variables.DistinctBy(variable => variable.Name).Count() < variables.Count, "a variable is declared twice");
        Find(function.SharedBytes > MaxSharedBytes, $"{function.SharedBytes} bytes of shared memory, at most {MaxSharedBytes} may be declared");
        int parameters = function.Parameters.Sum(parameter => parameter.Bytes);
        Find(parameters > MaxParameterBytes, $"{parameters} bytes of parameters, at most {MaxParameterBytes}");
        Find(function.MaxThreads > MaxThreads, $"{function.MaxThreads} threads, at most {MaxThreads}");
        Find(function.Bounds.ContainsKey(".minnctapersm") && function.MaxThreads == 0, ".minnctapersm needs .maxntid");
        Find(!function.IsKernel && function.Bounds.Count > 0, "launch bounds belong to kernels");
    }

    private static void Instructions(PtxModule module, PtxFunction function, int target, List<string> findings)
    {
        var rules = new PtxOperandRules(module, function);
        for (int i = 0; i < function.Instructions.Count; i++)
        {
            var instruction = function.Instructions[i];
            if (instruction.Guard is { } guard && function.Registers.GetValueOrDefault(guard).Kind != 'p')
            {
                findings.Add(Text(function, i, $"the guard {guard} is no declared predicate"));
            }

            if (PtxForm.Of(instruction) is not { } form)
            {
                findings.Add(Text(function, i, "unknown instruction form"));
                continue;
            }

            if (module.Version < form.Isa || Math.Min(target, TargetOf(module)) < form.Target)
            {
                findings.Add(Text(function, i, $"needs ISA {form.Isa / 10}.{form.Isa % 10} and sm_{form.Target}"));
            }

            if (rules.Problem(instruction, form) is { } problem)
            {
                findings.Add(Text(function, i, problem));
            }
        }
    }

    private static int TargetOf(PtxModule module) => int.TryParse(
        module.Target.AsSpan(Math.Min(3, module.Target.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;

    private static string Text(PtxFunction function, int instruction, string message) =>
        $"line {function.Instructions[instruction].Line}: {function.Name}: {message}: {function.Instructions[instruction]}";
}
