namespace Ldvc.Ptx;

/// <summary>
/// What a branch does when threads disagree on it: which blocks only some of them run, and where threads that came different ways meet, so that what
/// was written on those ways differs between them.
/// </summary>
internal sealed class PtxDivergence
{
    private readonly PtxBlock _branch;
    private readonly PtxBlock? _meeting;
    private readonly List<PtxBlock> _order;

    /// <summary>Looks at one branch.</summary>
    /// <param name="flow">The kernel.</param>
    /// <param name="branch">A block that ends with a branch.</param>
    /// <param name="meeting">Its immediate post-dominator; null for the end of the kernel.</param>
    internal PtxDivergence(PtxFlow flow, PtxBlock branch, PtxBlock? meeting)
    {
        (_branch, _meeting) = (branch, meeting);
        var stack = new Stack<PtxBlock>(branch.Successors);
        while (stack.TryPop(out var block))
        {
            if (block != meeting && block != branch && Under.Add(block))
            {
                block.Successors.ForEach(stack.Push);
            }
        }

        _order = [.. flow.Reached.Where(Under.Contains)];
        if (meeting is not null)
        {
            _order.Add(meeting);
        }

        var written = new HashSet<int>(Under.SelectMany(block => Writes(flow, block)));
        foreach (var join in Joins())
        {
            Differ.Add((join, written));
        }

        Leavings(flow);
    }

    /// <summary>Blocks that only threads which went one way run: all between the branch and the place where every way meets.</summary>
    internal HashSet<PtxBlock> Under { get; } = [];

    /// <summary>Blocks at whose start registers differ between threads.</summary>
    internal List<(PtxBlock Block, HashSet<int> Registers)> Differ { get; } = [];

    private static IEnumerable<int> Writes(PtxFlow flow, PtxBlock block) =>
        Enumerable.Range(block.Start, block.End - block.Start).SelectMany(i => flow.Written[i]);

    // Every way out of the branch has a name, which its blocks take on; a block that is reached under two names is where ways meet, and gives its own
    // name to what follows.
    private HashSet<PtxBlock> Joins()
    {
        var joins = new HashSet<PtxBlock>();
        for (bool more = true; more;)
        {
            more = false;
            var names = new Dictionary<PtxBlock, object>();

            // Twice: the second time, what loops lead back to is known.
            for (int pass = 0; pass < 2 && !more; pass++)
            {
                foreach (var block in _order)
                {
                    var arriving = Arriving(block, names);
                    if (arriving.Count > 1 && joins.Add(block))
                    {
                        more = true;
                        break;
                    }

                    if (arriving.Count > 0)
                    {
                        names[block] = joins.Contains(block) ? block : arriving.First();
                    }
                }
            }
        }

        return joins;
    }

    private HashSet<object> Arriving(PtxBlock block, Dictionary<PtxBlock, object> names)
    {
        var arriving = new HashSet<object>();
        foreach (var before in block.Predecessors)
        {
            if (before == _branch)
            {
                arriving.Add((_branch, block));
            }
            else if (before != _meeting && names.TryGetValue(before, out object? name))
            {
                arriving.Add(name);
            }
        }

        return arriving;
    }

    // A branch in a loop: threads leave after different numbers of rounds, with what their last round wrote.
    private void Leavings(PtxFlow flow)
    {
        var round = new HashSet<PtxBlock>();
        var stack = new Stack<PtxBlock>(_branch.Predecessors.Where(Under.Contains));
        while (stack.TryPop(out var block))
        {
            if (Under.Contains(block) && round.Add(block))
            {
                block.Predecessors.ForEach(stack.Push);
            }
        }

        if (round.Count == 0)
        {
            return;
        }

        round.Add(_branch);
        var written = new HashSet<int>(round.SelectMany(block => Writes(flow, block)));
        written.ExceptWith(SameEveryRound(flow, round, written));
        foreach (var outside in round.SelectMany(block => block.Successors).Where(block => !round.Contains(block)).Distinct())
        {
            Differ.Add((outside, written));
        }
    }

    // Registers that every round computes anew from what no round changes.
    private static HashSet<int> SameEveryRound(PtxFlow flow, HashSet<PtxBlock> round, HashSet<int> written)
    {
        var writers = round.SelectMany(block => Enumerable.Range(block.Start, block.End - block.Start)).SelectMany(
            i => flow.Written[i].Select(register => (register, i))).ToLookup(pair => pair.register, pair => pair.i);
        var same = new HashSet<int>();
        for (bool more = true; more;)
        {
            more = false;
            foreach (int register in written.Where(register => !same.Contains(register) && writers[register].Take(2).Count() == 1))
            {
                int i = writers[register].First();
                var instruction = flow.Function.Instructions[i];
                bool depends = instruction.Guard is not null || instruction.Root is "ld" or "atom" or "shfl" or "mma" or "ldmatrix" or "call"
                    || instruction.Operands.Any(operand => operand.Text.StartsWith("%clock", StringComparison.Ordinal)) || flow.Read[i].Any(
                        read => written.Contains(read) && !same.Contains(read));
                if (!depends)
                {
                    same.Add(register);
                    more = true;
                }
            }
        }

        return same;
    }
}
