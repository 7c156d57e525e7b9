using System.Text.RegularExpressions;

namespace Ldvc.Ptx;

/// <summary>A form of instruction: which opcodes it covers and what their operands are.</summary>
/// <param name="Opcode">All legal combinations of suffixes.</param>
/// <param name="Operands">
/// A letter an operand, upper case for what is written. t: the last type; s: the type before it; w: twice as wide as the last; x: 32 bits; h: 16
/// bits; b: the last type's size in any kind; p: a predicate; v: one register or a vector of the last type, wider ones allowed; r: a vector of 32-bit
/// registers; m: a vector that the form checks; a: an address; l: a label; i: a constant.
/// </param>
/// <param name="Isa">First ISA version that has it, times ten.</param>
/// <param name="Target">First sm_ that has it.</param>
/// <param name="Extra">What else must hold: returns what is wrong, or null. Gets the instruction and its function.</param>
internal sealed record PtxForm(Regex Opcode, string Operands, int Isa, int Target, Func<PtxInstruction, PtxFunction, string?>? Extra)
{
    /// <summary>The form of an instruction, or null when there is none.</summary>
    internal static PtxForm? Of(PtxInstruction instruction) =>
        s_byRoot.GetValueOrDefault(instruction.Root)?.FirstOrDefault(form => form.Opcode.IsMatch(instruction.Opcode) && form.TakesCount(instruction))
        ?? s_byRoot.GetValueOrDefault(instruction.Root)?.FirstOrDefault(form => form.Opcode.IsMatch(instruction.Opcode));

    /// <summary>The registers that an instruction writes and reads; none written and all read when it has no form.</summary>
    internal static (List<string> Written, List<string> Read) Registers(PtxInstruction instruction)
    {
        string operands = Of(instruction)?.Operands ?? string.Empty;
        List<string> written = [], read = [];
        for (int i = 0; i < instruction.Operands.Length; i++)
        {
            (i < operands.Length && char.IsUpper(operands[i]) ? written : read).AddRange(instruction.Operands[i].Registers);
        }

        if (instruction.Guard is { } guard)
        {
            read.Add(guard);
        }

        return (written, read);
    }

    private static readonly Dictionary<string, List<PtxForm>> s_byRoot = Table();

    private bool TakesCount(PtxInstruction instruction) => instruction.Operands.Length == Operands.Length;

    private static Dictionary<string, List<PtxForm>> Table()
    {
        var table = new Dictionary<string, List<PtxForm>>();
        foreach (var form in PtxArithmeticForms.All.Concat(PtxMemoryForms.All).Concat(PtxControlForms.All))
        {
            // The root is what stands before the first dot or group.
            foreach (string root in Regex.Match(form.Opcode.ToString(), @"^\^\(?([a-z0-9|]+)").Groups[1].Value.Split('|'))
            {
                (table.TryGetValue(root, out var forms) ? forms : table[root] = []).Add(form);
            }
        }

        return table;
    }

    internal static PtxForm New(
        string opcode, string operands, int isa = 10, int target = 10, Func<PtxInstruction, PtxFunction, string?>? extra = null) =>
        new(new Regex($"^{opcode}$", RegexOptions.CultureInvariant | RegexOptions.Compiled), operands, isa, target, extra);
}
