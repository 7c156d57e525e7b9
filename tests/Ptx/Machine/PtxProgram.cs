namespace Ldvc.Ptx.Machine;

/// <summary>How an instruction moves control.</summary>
internal enum PtxControl
{
    None,
    Branch,
    Return,
    Barrier,
}

/// <summary>An instruction, ready to run.</summary>
/// <param name="Text">As written.</param>
/// <param name="Control">How it moves control.</param>
/// <param name="Guard">The predicate's register, or -1.</param>
/// <param name="Target">Where a branch leads, by instruction.</param>
/// <param name="Meeting">Where all who disagree on a branch meet again; the number of instructions when that is the end.</param>
/// <param name="Run">Runs it for the lanes that take part; null for control.</param>
internal sealed record PtxStep(PtxInstruction Text, PtxControl Control, int Guard, int Target, int Meeting, Action<PtxWarp>? Run);

/// <summary>A kernel, ready to run.</summary>
internal sealed class PtxProgram
{
    private readonly Dictionary<string, int> _registers;
    private readonly Dictionary<string, int> _shared = [];

    /// <summary>Prepares a kernel.</summary>
    /// <exception cref="PtxRunException">It holds an instruction that the machine does not know.</exception>
    internal PtxProgram(PtxFunction kernel)
    {
        Kernel = kernel;
        _registers = kernel.Registers.Keys.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i);
        foreach (var variable in kernel.Variables)
        {
            SharedBytes = (SharedBytes + variable.Align - 1) / variable.Align * variable.Align;
            _shared.Add(variable.Name, SharedBytes);
            SharedBytes += variable.Bytes;
        }

        var flow = new PtxFlow(kernel);
        var meetings = new PtxPostDominators(flow);
        var byLast = flow.Blocks.Where(block => block.End > block.Start).ToDictionary(block => block.End - 1);
        for (int i = 0; i < kernel.Instructions.Count; i++)
        {
            var text = kernel.Instructions[i];
            PtxControl control = text.Root switch
            {
                "bra" => PtxControl.Branch,
                "ret" or "exit" => PtxControl.Return,
                "bar" when text.Opcode == "bar.sync" => PtxControl.Barrier,
                _ => PtxControl.None
            };
            Steps.Add(new PtxStep(
                text,
                control,
                text.Guard is { } guard ? _registers[guard] : -1,
                control == PtxControl.Branch ? kernel.Labels[text.Operands[0].Text] : -1,
                control == PtxControl.Branch ? meetings.Of(byLast[i])?.Start ?? kernel.Instructions.Count : -1,
                control == PtxControl.None
                    ? PtxActions.Of(this, text) ?? throw new PtxRunException($"line {text.Line}: the machine does not know {text}")
                    : null));
        }

        Unit = kernel.Instructions.Any(
            text => text.Suffixes.Contains("shared") && PtxType.Parse(text.Suffixes[^1]) is { Bytes: < 4 } && text.Root is "ld" or "st") ? 1 : 4;
    }

    internal PtxFunction Kernel { get; }

    internal List<PtxStep> Steps { get; } = [];

    /// <summary>Values of 64 bits that a thread keeps.</summary>
    internal int Registers => _registers.Count;

    internal int SharedBytes { get; }

    /// <summary>The smallest piece of shared memory that is accessed.</summary>
    internal int Unit { get; }

    internal int Register(string name) => _registers[name];

    /// <summary>A symbol's place in shared memory, or null.</summary>
    internal int? Shared(string name) => _shared.TryGetValue(name, out int at) ? at : null;
}
