namespace Ldvc.Ptx.Machine;

/// <summary>Where an instruction's value comes from: a register, a constant, a symbol or a special register.</summary>
internal sealed class PtxSource
{
    private readonly int _register = -1;
    private readonly ulong _constant;
    private readonly string? _special;

    /// <exception cref="PtxRunException">It comes from nowhere that the machine knows.</exception>
    internal PtxSource(PtxProgram program, PtxOperand operand)
    {
        switch (operand.Kind)
        {
            case PtxOperandKind.Register: _register = program.Register(operand.Text); break;
            case PtxOperandKind.Integer or PtxOperandKind.Float: _constant = PtxArithmetic.Constant(operand); break;
            case PtxOperandKind.Special: _special = operand.Text; break;
            case PtxOperandKind.Symbol when program.Shared(operand.Text) is { } at: _constant = (ulong)at; break;
            default: throw new PtxRunException($"the machine does not know the operand {operand.Text}");
        }
    }

    internal ulong Of(PtxWarp warp, int lane) => _register >= 0 ? warp[_register, lane] : _special is null ? _constant : warp.Special(_special, lane);
}

/// <summary>An address: a register or a symbol of shared memory, and an offset.</summary>
internal sealed class PtxAddress(PtxProgram program, PtxOperand operand)
{
    private readonly int _register = operand.Text.StartsWith('%') ? program.Register(operand.Text) : -1;
    private readonly long _base = operand.Text.StartsWith('%')
        ? 0
        : program.Shared(operand.Text) ?? throw new PtxRunException($"the machine does not know the address {operand.Text}");

    internal long Of(PtxWarp warp, int lane) => (_register >= 0 ? (long)warp[_register, lane] : _base) + operand.Offset;
}
