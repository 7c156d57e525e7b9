using System.Collections;

namespace Ldvc.Ptx;

/// <summary>
/// Registers that are read where some path has not written them. Forward over the blocks: known at a block's start is what every way there has
/// written. A write under a predicate may not happen and does not count.
/// </summary>
internal static class PtxDefined
{
    /// <summary>The first such read of each register: the instruction's number and the register.</summary>
    internal static List<(int Instruction, string Register)> Unwritten(PtxFlow flow)
    {
        var ends = new Dictionary<PtxBlock, BitArray>();
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (var block in flow.Reached)
            {
                var known = Start(flow, block, ends);
                for (int i = block.Start; i < block.End; i++)
                {
                    Write(flow, i, known);
                }

                changed |= !ends.TryGetValue(block, out var before) || !Same(before, known);
                ends[block] = known;
            }
        }

        var found = new List<(int, string)>();
        var reported = new HashSet<int>();
        foreach (var block in flow.Reached.OrderBy(block => block.Start))
        {
            var known = Start(flow, block, ends);
            for (int i = block.Start; i < block.End; i++)
            {
                found.AddRange(
                    flow.Read[i].Where(register => !known[register] && reported.Add(register)).Select(register => (i, flow.Names[register])));
                Write(flow, i, known);
            }
        }

        return found;
    }

    // Ways that have not been walked yet say nothing.
    private static BitArray Start(PtxFlow flow, PtxBlock block, Dictionary<PtxBlock, BitArray> ends)
    {
        BitArray? known = ReferenceEquals(block, flow.Blocks[0]) ? flow.NoRegisters : null;
        foreach (var before in block.Predecessors)
        {
            if (ends.TryGetValue(before, out var end))
            {
                known = known is null ? new BitArray(end) : known.And(end);
            }
        }

        return known ?? flow.NoRegisters;
    }

    private static void Write(PtxFlow flow, int instruction, BitArray known)
    {
        if (flow.Function.Instructions[instruction].Guard is null)
        {
            foreach (int register in flow.Written[instruction])
            {
                known[register] = true;
            }
        }
    }

    private static bool Same(BitArray a, BitArray b) => !new BitArray(a).Xor(b).HasAnySet();
}
