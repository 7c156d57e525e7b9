namespace Ldvc.Ptx;

/// <summary>
/// Where the ways from a block meet again: its immediate post-dominator (Cooper, Harvey, Kennedy, A Simple, Fast Dominance Algorithm, on the flow
/// turned round).
/// </summary>
internal sealed class PtxPostDominators
{
    private readonly Dictionary<PtxBlock, int> _number = [];
    private readonly List<PtxBlock?> _order = [null];
    private readonly int[] _next;

    internal PtxPostDominators(PtxFlow flow)
    {
        // Numbered from the end on: a block after all that it leads to, as far as there are no loops; 0 is the end that every ret leads to.
        var reached = flow.Reached.ToHashSet();
        var ends = flow.Reached.Where(block => Leaves(flow, block)).ToList();
        foreach (var block in Depth(ends, reached))
        {
            _number.Add(block, _order.Count);
            _order.Add(block);
        }

        _next = new int[_order.Count];
        Array.Fill(_next, -1);
        _next[0] = 0;
        var leaving = ends.ToHashSet();
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = 1; i < _order.Count; i++)
            {
                int meet = leaving.Contains(_order[i]!) ? 0 : -1;
                foreach (var after in _order[i]!.Successors)
                {
                    if (_number.TryGetValue(after, out int number) && _next[number] >= 0)
                    {
                        meet = meet < 0 ? number : Meet(meet, number);
                    }
                }

                changed |= meet != _next[i];
                _next[i] = meet;
            }
        }
    }

    /// <summary>The first block that every way from this one goes through; null when that is the end of the kernel, or when no way ends.</summary>
    internal PtxBlock? Of(PtxBlock block) => _number.TryGetValue(block, out int number) && _next[number] > 0 ? _order[_next[number]] : null;

    private static bool Leaves(PtxFlow flow, PtxBlock block) =>
        block.End > block.Start && flow.Function.Instructions[block.End - 1].Root is "ret" or "exit";

    private int Meet(int a, int b)
    {
        while (a != b)
        {
            if (a > b)
            {
                a = _next[a];
            }
            else
            {
                b = _next[b];
            }
        }

        return a;
    }

    // Reverse postorder of the turned flow, from its ends.
    private static List<PtxBlock> Depth(List<PtxBlock> ends, HashSet<PtxBlock> reached)
    {
        var done = new List<PtxBlock>();
        var seen = new HashSet<PtxBlock>();
        var stack = new Stack<(PtxBlock Block, int Next)>();
        foreach (var end in ends)
        {
            if (seen.Add(end))
            {
                stack.Push((end, 0));
            }

            while (stack.TryPop(out var top))
            {
                if (top.Next == top.Block.Predecessors.Count)
                {
                    done.Add(top.Block);
                    continue;
                }

                stack.Push((top.Block, top.Next + 1));
                var before = top.Block.Predecessors[top.Next];
                if (reached.Contains(before) && seen.Add(before))
                {
                    stack.Push((before, 0));
                }
            }
        }

        done.Reverse();
        return done;
    }
}
