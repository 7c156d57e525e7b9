using System.Collections;

namespace Ldvc.Ptx;

/// <summary>
/// A function's instructions as blocks without jumps inside, and what each reads and writes; registers are numbered in the order of declaration.
/// </summary>
internal sealed class PtxFlow
{
    internal PtxFlow(PtxFunction function)
    {
        Function = function;
        Names = [.. function.Registers.Keys];
        var index = Names.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i);
        foreach (var instruction in function.Instructions)
        {
            var (written, read) = PtxForm.Registers(instruction);
            Written.Add([.. written.Where(index.ContainsKey).Select(name => index[name])]);
            Read.Add([.. read.Where(index.ContainsKey).Select(name => index[name])]);
        }

        Cut();
        Connect();
    }

    internal PtxFunction Function { get; }

    internal string[] Names { get; }

    /// <summary>Registers that an instruction writes, by its number.</summary>
    internal List<int[]> Written { get; } = [];

    /// <summary>Registers that it reads, its guard included.</summary>
    internal List<int[]> Read { get; } = [];

    internal List<PtxBlock> Blocks { get; } = [];

    /// <summary>Blocks that control reaches, ahead of what they lead to where the flow has no loops.</summary>
    internal List<PtxBlock> Reached { get; } = [];

    /// <summary>An empty set of registers.</summary>
    internal BitArray NoRegisters => new(Names.Length);

    private void Cut()
    {
        var starts = new SortedSet<int>(Function.Labels.Values) { 0 };
        for (int i = 0; i < Function.Instructions.Count; i++)
        {
            if (Function.Instructions[i].Root is "bra" or "ret" or "exit")
            {
                starts.Add(i + 1);
            }
        }

        starts.Remove(Function.Instructions.Count);
        int[] order = [.. starts];
        for (int b = 0; b < order.Length; b++)
        {
            Blocks.Add(new PtxBlock(order[b], b + 1 < order.Length ? order[b + 1] : Function.Instructions.Count));
        }
    }

    private void Connect()
    {
        var byStart = Blocks.ToDictionary(block => block.Start);
        foreach (var block in Blocks.Where(block => block.End > block.Start))
        {
            var last = Function.Instructions[block.End - 1];
            if (last.Root == "bra" && last.Operands.Length == 1 && Function.Labels.TryGetValue(last.Operands[0].Text, out int target))
            {
                Lead(block, byStart.GetValueOrDefault(target));
            }

            if (last.Root is not ("bra" or "ret" or "exit") || last.Guard is not null)
            {
                Lead(block, byStart.GetValueOrDefault(block.End));
            }
        }

        // Depth first, by hand: kernels have thousands of blocks. A block stands after all that it leads to, then the list is turned.
        var seen = new HashSet<PtxBlock>();
        var stack = new Stack<(PtxBlock Block, int Next)>();
        void Enter(PtxBlock block)
        {
            if (seen.Add(block))
            {
                stack.Push((block, 0));
            }
        }

        Blocks.Take(1).ToList().ForEach(Enter);
        while (stack.TryPop(out var top))
        {
            if (top.Next == top.Block.Successors.Count)
            {
                Reached.Add(top.Block);
                continue;
            }

            stack.Push((top.Block, top.Next + 1));
            Enter(top.Block.Successors[top.Next]);
        }

        Reached.Reverse();
    }

    private static void Lead(PtxBlock from, PtxBlock? to)
    {
        if (to is null)
        {
            from.RunsOff = true;
            return;
        }

        from.Successors.Add(to);
        to.Predecessors.Add(from);
    }
}

/// <summary>Instructions Start to End - 1.</summary>
internal sealed class PtxBlock(int start, int end)
{
    internal int Start => start;

    internal int End => end;

    internal List<PtxBlock> Successors { get; } = [];

    internal List<PtxBlock> Predecessors { get; } = [];

    /// <summary>Control may leave the function behind it without a ret.</summary>
    internal bool RunsOff { get; set; }
}
