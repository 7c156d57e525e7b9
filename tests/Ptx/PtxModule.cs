namespace Ldvc.Ptx;

/// <summary>A PTX file, parsed. The numbers of its header are 0 and its target is empty where they are missing.</summary>
internal sealed class PtxModule
{
    /// <summary>ISA version times ten: 80 for 8.0.</summary>
    internal int Version { get; set; }

    /// <summary>"sm_80".</summary>
    internal string Target { get; set; } = string.Empty;

    internal int AddressSize { get; set; }

    /// <summary>Functions and kernels with a body, in order.</summary>
    internal List<PtxFunction> Functions { get; } = [];

    /// <summary>Functions declared ahead, without a body.</summary>
    internal List<PtxFunction> Prototypes { get; } = [];

    /// <summary>Variables outside functions.</summary>
    internal List<PtxVariable> Variables { get; } = [];

    /// <summary>The only kernel.</summary>
    internal PtxFunction Kernel => Functions.Single(function => function.IsKernel);

    /// <exception cref="PtxSyntaxException">The text is no PTX.</exception>
    internal static PtxModule Parse(string text) => new PtxParser(text).Module();
}

/// <summary>A function or kernel.</summary>
internal sealed class PtxFunction
{
    internal required string Name { get; init; }

    internal required bool IsKernel { get; init; }

    internal required int Line { get; init; }

    internal List<PtxVariable> Returns { get; } = [];

    internal List<PtxVariable> Parameters { get; } = [];

    /// <summary>.maxntid, .reqntid, .minnctapersm, .maxnreg -> their numbers.</summary>
    internal Dictionary<string, int[]> Bounds { get; } = [];

    /// <summary>Register -> its type, from declarations; %r&lt;3&gt; declares %r0 to %r2.</summary>
    internal Dictionary<string, PtxType> Registers { get; } = [];

    /// <summary>.shared and .local variables of the body.</summary>
    internal List<PtxVariable> Variables { get; } = [];

    internal List<PtxInstruction> Instructions { get; } = [];

    /// <summary>Label -> the instruction that it stands before.</summary>
    internal Dictionary<string, int> Labels { get; } = [];

    /// <summary>Most threads of a group, or 0.</summary>
    internal int MaxThreads => Bounds.GetValueOrDefault(".maxntid") is { } sizes ? sizes.Aggregate(1, (product, size) => product * size) : 0;

    /// <summary>Bytes of shared memory that the body declares.</summary>
    internal int SharedBytes => Variables.Where(variable => variable.Space == ".shared").Sum(variable => variable.Bytes);
}

/// <summary>A variable or parameter: its state space with the dot, its alignment, element type and size in bytes.</summary>
internal sealed record PtxVariable(string Name, string Space, int Align, PtxType Type, int Bytes, int Line);

/// <summary>An instruction.</summary>
/// <param name="Guard">The predicate that it depends on, or null.</param>
/// <param name="Opcode">With all its suffixes.</param>
/// <param name="Operands">In order.</param>
/// <param name="Line">Its line.</param>
internal sealed record PtxInstruction(string? Guard, string Opcode, PtxOperand[] Operands, int Line)
{
    /// <summary>It runs where the guard is false.</summary>
    internal bool IsGuardNegated { get; init; }

    /// <summary>The opcode's first part.</summary>
    internal string Root { get; } = Opcode.Split('.')[0];

    internal string[] Suffixes { get; } = Opcode.Split('.')[1..];

    /// <inheritdoc/>
    public override string ToString() => $"{Opcode} {string.Join(", ", Operands.Select(operand => operand.Text))}".TrimEnd();
}

/// <summary>What an operand is.</summary>
internal enum PtxOperandKind
{
    Register,
    Special,
    Integer,
    Float,
    Symbol,
    Address,
    Vector,
}

/// <summary>An operand.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its name or number; an address's base, a vector as written.</param>
/// <param name="Parts">A vector's elements; else empty.</param>
/// <param name="Offset">The constant part of an address.</param>
internal sealed record PtxOperand(PtxOperandKind Kind, string Text, PtxOperand[] Parts, long Offset = 0)
{
    /// <summary>The registers that it names.</summary>
    internal IEnumerable<string> Registers => Kind switch
    {
        PtxOperandKind.Register => [Text],
        PtxOperandKind.Address when Text.StartsWith('%') => [Text],
        PtxOperandKind.Vector => Parts.SelectMany(part => part.Registers),
        _ => [],
    };
}
