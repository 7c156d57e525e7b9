using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>For whom a value is the same at the same time.</summary>
internal enum Sameness : byte
{
    /// <summary>For the whole group.</summary>
    Group,

    /// <summary>For the threads of a warp.</summary>
    Warp,

    /// <summary>It may differ from thread to thread.</summary>
    Thread,
}

/// <summary>
/// Whether threads agree where PTX promises that they do: on a branch marked .uni, at a barrier (the group), at instructions that a warp executes
/// together (shfl.sync with all lanes, ldmatrix, mma.sync.aligned). Values are followed from the thread's number on, through registers and through
/// branches that threads disagree on. What is loaded is as uniform as its address: kernels do not race. Careful, not exact: it may find what is none,
/// never the reverse, under that assumption.
/// </summary>
internal sealed class PtxUniformity
{
    private const int WarpShift = 5;

    private readonly PtxFlow _flow;
    private readonly PtxPostDominators _meetings;
    private readonly Dictionary<PtxBlock, Sameness[]> _starts = [];
    private readonly Dictionary<PtxBlock, bool[]> _numbers = [];
    private readonly Dictionary<PtxBlock, PtxDivergence> _divergence = [];
    private readonly Dictionary<PtxBlock, Sameness> _branches = [];

    private PtxUniformity(PtxFlow flow)
    {
        (_flow, _meetings) = (flow, new PtxPostDominators(flow));
        if (flow.Reached.Count > 0)
        {
            _starts[flow.Reached[0]] = new Sameness[flow.Names.Length];
            _numbers[flow.Reached[0]] = new bool[flow.Names.Length];
        }

        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (var block in flow.Reached)
            {
                changed |= Follow(block);
            }
        }
    }

    /// <summary>The broken promises of a kernel: the instruction's number, and what is wrong with it.</summary>
    internal static List<(int Instruction, string Message)> Broken(PtxFlow flow)
    {
        var found = new List<(int, string)>();
        var uniformity = new PtxUniformity(flow);
        foreach (var block in flow.Reached)
        {
            var (disputed, by) = uniformity.Under(block);
            for (int i = block.Start; i < block.End; i++)
            {
                var instruction = flow.Function.Instructions[i];
                if (instruction is { Opcode: "bra.uni", Guard: not null } && uniformity._branches.GetValueOrDefault(block) == Sameness.Thread)
                {
                    found.Add((i, $"threads of a warp may disagree on {instruction.Guard}, .uni says that they do not"));
                }

                Sameness needed = instruction.Root is "bar" or "barrier" ? Sameness.Group : Together(instruction) ? Sameness.Warp : Sameness.Thread;
                if (disputed > needed)
                {
                    found.Add((i, $"not all threads of a {(needed == Sameness.Group ? "group" : "warp")} may come here: they disagree in line {by}"));
                }
            }
        }

        return found;
    }

    private static bool Together(PtxInstruction instruction) =>
        instruction.Suffixes.Contains("aligned") || (instruction.Root == "shfl" && instruction.Suffixes.Contains("sync"));

    // The least agreed branch that decides whether a thread comes to a block, and its line.
    private (Sameness Level, int Line) Under(PtxBlock block)
    {
        var worst = (Level: Sameness.Group, Line: 0);
        foreach (var (branch, level) in _branches)
        {
            if (level > worst.Level && _divergence[branch].Under.Contains(block))
            {
                worst = (level, _flow.Function.Instructions[branch.End - 1].Line);
            }
        }

        return worst;
    }

    // From a block's start to the starts of those after it; true when something became less uniform.
    private bool Follow(PtxBlock block)
    {
        if (!_starts.TryGetValue(block, out var start))
        {
            return false;
        }

        var values = (Sameness[])start.Clone();
        bool[] numbers = (bool[])_numbers[block].Clone();
        for (int i = block.Start; i < block.End; i++)
        {
            Step(i, values, numbers);
        }

        bool changed = false;
        foreach (var next in block.Successors)
        {
            changed |= Merge(next, values, numbers);
        }

        var last = block.End > block.Start ? _flow.Function.Instructions[block.End - 1] : null;
        if (last is { Root: "bra" or "ret" or "exit", Guard: { } guard } && values[Array.IndexOf(_flow.Names, guard)] is var level
            && level > Sameness.Group)
        {
            changed |= !_branches.TryGetValue(block, out var before) || before != level;
            _branches[block] = level;
            if (!_divergence.TryGetValue(block, out var divergence))
            {
                _divergence.Add(block, divergence = new PtxDivergence(_flow, block, _meetings.Of(block)));
            }

            foreach (var (join, registers) in divergence.Differ)
            {
                changed |= Raise(join, registers, level);
            }
        }

        return changed;
    }

    private void Step(int i, Sameness[] values, bool[] numbers)
    {
        var instruction = _flow.Function.Instructions[i];
        if (_flow.Written[i].Length == 0)
        {
            return;
        }

        Sameness level = instruction.Root is "atom" or "shfl" or "mma" or "ldmatrix" or "call" ? Sameness.Thread : Sameness.Group;
        foreach (int register in _flow.Read[i])
        {
            level = Max(level, values[register]);
        }

        foreach (var special in instruction.Operands.Where(operand => operand.Kind == PtxOperandKind.Special))
        {
            level = Max(level, Special(special.Text));
        }

        bool number = instruction.Root == "mov" && instruction.Guard is null
            && (instruction.Operands[1].Text == "%tid.x" || (_flow.Read[i].Length == 1 && numbers[_flow.Read[i][0]]));
        if (IsWarpNumber(instruction, i, numbers))
        {
            level = Sameness.Warp;
        }

        foreach (int register in _flow.Written[i])
        {
            values[register] = instruction.Guard is null ? level : Max(level, values[register]);
            numbers[register] = number;
        }
    }

    // The thread's number without its last five bits: shifted, divided or masked away.
    private bool IsWarpNumber(PtxInstruction instruction, int i, bool[] numbers)
    {
        if (instruction.Operands.Length != 3 || instruction.Guard is not null || _flow.Read[i].Length != 1 || !numbers[_flow.Read[i][0]]
            || instruction.Operands[2].Kind != PtxOperandKind.Integer || !long.TryParse(
                instruction.Operands[2].Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long by))
        {
            return false;
        }

        return instruction.Root switch
        {
            "shr" => by >= WarpShift,
            "div" => by > 0 && by % (1 << WarpShift) == 0,
            "and" => (by & ((1 << WarpShift) - 1)) == 0,
            _ => false,
        };
    }

    private static Sameness Special(string name) => name == "%warpid" ? Sameness.Warp : PtxSpecial.IsUniform(name) ? Sameness.Group : Sameness.Thread;

    private bool Merge(PtxBlock next, Sameness[] values, bool[] numbers)
    {
        if (!_starts.TryGetValue(next, out var start))
        {
            (_starts[next], _numbers[next]) = ((Sameness[])values.Clone(), (bool[])numbers.Clone());
            return true;
        }

        bool changed = false;
        bool[] known = _numbers[next];
        for (int r = 0; r < values.Length; r++)
        {
            if (values[r] > start[r] || (known[r] && !numbers[r]))
            {
                (start[r], known[r], changed) = (Max(start[r], values[r]), known[r] && numbers[r], true);
            }
        }

        return changed;
    }

    private bool Raise(PtxBlock block, HashSet<int> registers, Sameness level)
    {
        if (!_starts.TryGetValue(block, out var start))
        {
            return false;
        }

        bool changed = false;
        foreach (int register in registers.Where(register => start[register] < level))
        {
            start[register] = level;
            changed = true;
        }

        return changed;
    }

    private static Sameness Max(Sameness a, Sameness b) => a > b ? a : b;
}
