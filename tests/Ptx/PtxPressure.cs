using System.Collections;

namespace Ldvc.Ptx;

/// <summary>
/// How many registers of 32 bits hold values that are still needed, at most, in the order in which the instructions stand (64-bit values count two,
/// predicates apart). An assembler that keeps that order needs no more; it adds some for addresses, for the alignment of vectors and for loads that
/// it moves ahead.
/// </summary>
/// <param name="Registers">Without values that cost nothing to have again: constants and the kernel's arguments, which lie in the constant
/// bank.</param>
/// <param name="WithArguments">With those.</param>
/// <param name="Predicates">Most predicates at once.</param>
/// <param name="Line">Where <paramref name="Registers"/> is reached.</param>
internal sealed record PtxPressure(int Registers, int WithArguments, int Predicates, int Line)
{
    internal static PtxPressure Of(PtxFlow flow)
    {
        int[] words = [.. flow.Names.Select(name => flow.Function.Registers[name].Words)];
        bool[] free = Free(flow);
        var most = new PtxPressure(0, 0, 0, flow.Function.Line);
        var starts = Live(flow);
        foreach (var block in flow.Reached)
        {
            var live = End(flow, block, starts);
            for (int i = block.End - 1; i >= block.Start; i--)
            {
                // What is written has a place even if nothing reads it.
                foreach (int register in flow.Written[i])
                {
                    live[register] = true;
                }

                most = Larger(most, live, words, free, flow.Function.Instructions[i].Line);
                Back(flow, i, live);
                most = Larger(most, live, words, free, flow.Function.Instructions[i].Line);
            }
        }

        return most;
    }

    private static PtxPressure Larger(PtxPressure most, BitArray live, int[] words, bool[] free, int line)
    {
        int all = 0, paid = 0, predicates = 0;
        for (int i = 0; i < words.Length; i++)
        {
            if (live[i])
            {
                all += words[i];
                paid += free[i] ? 0 : words[i];
                predicates += words[i] == 0 ? 1 : 0;
            }
        }

        return new PtxPressure(
            Math.Max(most.Registers, paid),
            Math.Max(most.WithArguments, all),
            Math.Max(most.Predicates, predicates),
            paid > most.Registers ? line : most.Line);
    }

    // Registers that only ever hold arguments, their addresses or constants.
    private static bool[] Free(PtxFlow flow)
    {
        var free = new bool[flow.Names.Length];
        Array.Fill(free, true);
        for (int i = 0; i < flow.Written.Count; i++)
        {
            var instruction = flow.Function.Instructions[i];
            var source = instruction.Operands.Length > 1 ? instruction.Operands[1].Kind : PtxOperandKind.Register;
            bool again = instruction.Opcode.StartsWith("ld.param", StringComparison.Ordinal) || instruction.Opcode.StartsWith(
                "cvta.to", StringComparison.Ordinal)
                || (instruction.Root == "mov" && source is PtxOperandKind.Integer or PtxOperandKind.Float or PtxOperandKind.Symbol);
            foreach (int register in flow.Written[i])
            {
                free[register] &= again;
            }
        }

        return free;
    }

    // Registers that are needed at the start of each block.
    private static Dictionary<PtxBlock, BitArray> Live(PtxFlow flow)
    {
        var starts = flow.Reached.ToDictionary(block => block, _ => flow.NoRegisters);
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (var block in Enumerable.Reverse(flow.Reached))
            {
                var live = End(flow, block, starts);
                for (int i = block.End - 1; i >= block.Start; i--)
                {
                    Back(flow, i, live);
                }

                changed |= new BitArray(live).Xor(starts[block]).HasAnySet();
                starts[block] = live;
            }
        }

        return starts;
    }

    private static BitArray End(PtxFlow flow, PtxBlock block, Dictionary<PtxBlock, BitArray> starts)
    {
        var live = flow.NoRegisters;
        foreach (var next in block.Successors)
        {
            live.Or(starts[next]);
        }

        return live;
    }

    private static void Back(PtxFlow flow, int instruction, BitArray live)
    {
        if (flow.Function.Instructions[instruction].Guard is null)
        {
            foreach (int register in flow.Written[instruction])
            {
                live[register] = false;
            }
        }

        foreach (int register in flow.Read[instruction])
        {
            live[register] = true;
        }
    }
}
