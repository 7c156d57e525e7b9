using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>Whether an instruction's operands are what its form asks for.</summary>
/// <param name="module">For its variables and address size.</param>
/// <param name="function">The function that the instruction stands in.</param>
internal sealed class PtxOperandRules(PtxModule module, PtxFunction function)
{
    private readonly Dictionary<string, PtxVariable> _variables = function.Variables.Concat(module.Variables).Concat(function.Parameters)
        .Concat(function.Returns)
        .DistinctBy(variable => variable.Name).ToDictionary(variable => variable.Name);

    /// <summary>What is wrong, or null.</summary>
    internal string? Problem(PtxInstruction instruction, PtxForm form)
    {
        if (instruction.Operands.Length != form.Operands.Length)
        {
            return $"{form.Operands.Length} operands expected, got {instruction.Operands.Length}";
        }

        for (int i = 0; i < form.Operands.Length; i++)
        {
            if (Problem(instruction, form.Operands[i], instruction.Operands[i]) is { } problem)
            {
                return problem;
            }
        }

        return form.Extra?.Invoke(instruction, function);
    }

    private string? Problem(PtxInstruction instruction, char letter, PtxOperand operand)
    {
        bool written = char.IsUpper(letter), wider = instruction.Root == "cvt";
        var last = instruction.Suffixes.Length > 0 ? PtxType.Parse(instruction.Suffixes[^1]) ?? default : default;
        return char.ToLowerInvariant(letter) switch
        {
            't' => Scalar(instruction, operand, last, written, wider),
            's' => Scalar(instruction, operand, PtxType.Parse(instruction.Suffixes[^2])!.Value, written, wider),
            'w' => Scalar(instruction, operand, last with { Bits = 2 * last.Bits }, written, false),
            'x' => Scalar(instruction, operand, new PtxType('b', 32), written, false),
            'h' => Scalar(instruction, operand, new PtxType('b', 16), written, false),
            'p' => Scalar(instruction, operand, PtxType.Predicate, written, false),
            'v' => Vector(instruction, operand, last, written),
            'r' => operand.Kind == PtxOperandKind.Vector
                ? Each(instruction, operand, new PtxType('b', 32), written, false)
                : "registers in braces expected",
            'a' => Address(instruction, operand),
            'l' => operand.Kind != PtxOperandKind.Symbol
                ? "a label expected" : function.Labels.ContainsKey(operand.Text) ? null : $"no such label: {operand.Text}",
            'i' => operand.Kind == PtxOperandKind.Integer ? null : "a constant expected",
            _ => null,
        };
    }

    private string? Scalar(PtxInstruction instruction, PtxOperand operand, PtxType type, bool written, bool wider)
    {
        switch (operand.Kind)
        {
            case PtxOperandKind.Register:
                return !function.Registers.TryGetValue(operand.Text, out var own) ? $"{operand.Text} is not declared"
                    : own.Fits(type, wider) ? null : $"{operand.Text} is {own}, which is no {type}";
            case var _ when written:
                return $"{operand.Text}: only registers can be written";
            case PtxOperandKind.Integer:
                return type.Kind == 'f' ? $"{operand.Text} is no {type}: floats are written 0f or 0d" : InRange(operand.Text, type) ? null
                    : $"{operand.Text} is too large for {type}";
            case PtxOperandKind.Float:
                return type.Bits == 4 * (operand.Text.TrimStart('-').Length - 2) && type.Kind is 'f' or 'b' ? null : $"{operand.Text} is no {type}";
            case PtxOperandKind.Special:
                return instruction.Root is not ("mov" or "cvt") ? $"{operand.Text}: special registers are read by mov and cvt alone"
                    : PtxSpecial.TypeOf(operand.Text)!.Value.Fits(type) ? null : $"{operand.Text} is {PtxSpecial.TypeOf(operand.Text)}, which is no "
                        + $"{type}";
            case PtxOperandKind.Symbol:
                return instruction.Root is not ("mov" or "cvta") ? $"{operand.Text}: addresses of variables are taken by mov and cvta alone"
                    : !_variables.TryGetValue(operand.Text, out var variable) ? $"{operand.Text} is not declared"
                    : instruction.Root == "cvta" && !instruction.Suffixes.Contains(variable.Space[1..]) ? $"{operand.Text} lies in {variable.Space}"
                    : type.Kind != 'f' && type.Bits == module.AddressSize ? null : $"an address is no {type}";
            default:
                return $"{operand.Text}: one register or constant expected";
        }
    }

    private string? Vector(PtxInstruction instruction, PtxOperand operand, PtxType type, bool written)
    {
        int count = PtxMemoryForms.Count(instruction);
        if (count == 1)
        {
            return operand.Kind == PtxOperandKind.Vector ? "no vector expected" : Scalar(instruction, operand, type, written, true);
        }

        return operand.Kind != PtxOperandKind.Vector || operand.Parts.Length != count
            ? $"{count} registers in braces expected"
            : Each(instruction, operand, type, written, true);
    }

    private string? Each(PtxInstruction instruction, PtxOperand operand, PtxType type, bool written, bool wider) =>
        written && operand.Parts.DistinctBy(part => part.Text).Count() < operand.Parts.Length ? $"{operand.Text}: a register is written twice"
        : operand.Parts.Select(part => Scalar(instruction, part, type, written, wider)).FirstOrDefault(problem => problem is not null);

    // A register of the address size (in shared memory 32 bits will do), or a variable of the space that the instruction names, and then inside it.
    private string? Address(PtxInstruction instruction, PtxOperand operand)
    {
        if (operand.Kind != PtxOperandKind.Address)
        {
            return "an address in brackets expected";
        }

        bool first = ReferenceEquals(operand, instruction.Operands[0]);
        string space = instruction.Root == "cp" ? (first ? "shared" : "global")
            : instruction.Root == "ldmatrix" ? "shared"
            : instruction.Suffixes.First(suffix => suffix is "param" or "global" or "shared" or "local" or "const");
        int bytes = instruction.Root is "cp" or "ldmatrix"
            ? 16
            : PtxType.Parse(instruction.Suffixes[^1])!.Value.Bytes * PtxMemoryForms.Count(instruction);
        if (operand.Offset % bytes != 0)
        {
            return $"misaligned offset {operand.Offset}: a multiple of {bytes} expected";
        }

        if (operand.Text.StartsWith('%'))
        {
            return !function.Registers.TryGetValue(operand.Text, out var type) ? $"{operand.Text} is not declared"
                : space == "param" ? "parameters are addressed by name"
                : type.Kind is not ('f' or 'p') && (type.Bits == 64 || (type.Bits == 32 && space == "shared")) ? null
                    : $"{operand.Text} is {type}: addresses of .{space} have 64 bits";
        }

        if (!_variables.TryGetValue(operand.Text, out var variable))
        {
            return $"{operand.Text} is not declared";
        }

        bool stores = instruction.Root == "st";
        return variable.Space != "." + space ? $"{operand.Text} lies in {variable.Space}"
            : space == "param" && stores != function.Returns.Contains(variable) ? $"{operand.Text} is {(stores ? "no result" : "a result")}"
            : operand.Offset < 0 || (variable.Bytes > 0 && operand.Offset + bytes > variable.Bytes) ? $"{operand.Text} has {variable.Bytes} bytes"
            : variable.Align % Math.Min(bytes, 16) != 0 && variable.Align < bytes ? $"{operand.Text} is aligned to {variable.Align}, {bytes} expected"
            : null;
    }

    private static bool InRange(string text, PtxType type)
    {
        if (type.Kind == 'p' || text.Contains('x', StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var value = Int128.Parse(text, CultureInfo.InvariantCulture);
        int bits = type.Bits;
        return value < Int128.One << bits && value >= -(Int128.One << (bits - 1));
    }
}
