using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>Control flow, barriers and tensor cores (PTX ISA 9.7.10, 9.7.12, 9.7.14).</summary>
internal static class PtxControlForms
{
    internal static IEnumerable<PtxForm> All { get; } =
    [
        PtxForm.New(@"bra(\.uni)?", "l"),
        PtxForm.New(@"(ret|exit)(\.uni)?", ""),
        PtxForm.New(@"bar\.sync", "x", extra: Barrier),
        PtxForm.New(@"bar\.sync", "xx", 20, 20, Barrier),
        PtxForm.New(@"barrier\.sync(\.aligned)?", "x", 60, 30, Barrier),
        PtxForm.New(@"bar\.warp\.sync", "x", 60, 30),
        PtxForm.New(@"membar\.(cta|gl|sys)", "", 14),
        PtxForm.New(@"vote\.sync\.(all|any|uni)\.pred", "Ppx", 60, 30),
        PtxForm.New(@"vote\.sync\.ballot\.b32", "Tpx", 60, 30),

        // D = A B + C: registers of A, B, C and D a lane.
        Mma(@"m16n8k16\.row\.col\.f32\.bf16\.bf16\.f32", 4, 2, 4, 70, 80),
        Mma(@"m16n8k8\.row\.col\.f32\.bf16\.bf16\.f32", 2, 1, 4, 70, 80),
        Mma(@"m16n8k16\.row\.col\.f32\.f16\.f16\.f32", 4, 2, 4, 70, 80),
        Mma(@"m16n8k8\.row\.col\.f32\.f16\.f16\.f32", 2, 1, 4, 65, 75),
        Mma(@"m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32", 4, 2, 4, 70, 80),
        Mma(@"m16n8k4\.row\.col\.f32\.tf32\.tf32\.f32", 2, 1, 4, 70, 80),
    ];

    private static PtxForm Mma(string shape, int a, int b, int c, int isa, int target) => PtxForm.New(
        @"mma\.sync\.aligned\." + shape, "Mmmm", isa, target,
        (i, function) => Part(i, function, 0, c, 'f') ?? Part(i, function, 1, a, 'b') ?? Part(i, function, 2, b, 'b')
            ?? Part(i, function, 3, c, 'f'));

    // Inputs lie in untyped registers, sums in those of floats.
    private static string? Part(PtxInstruction instruction, PtxFunction function, int operand, int count, char kind)
    {
        var vector = instruction.Operands[operand];
        bool right = vector.Kind == PtxOperandKind.Vector && vector.Parts.Length == count && vector.Parts.All(part =>
            part.Kind == PtxOperandKind.Register && function.Registers.GetValueOrDefault(part.Text) is { Bits: 32 } type
                && (type.Kind == kind || (kind == 'f' && type.Kind == 'b')));
        return right
            ? null
            : $"operands of mma: '{"DABC"[operand]}' takes {count} registers of {(kind == 'f' ? ".f32" : ".b32")} in braces, got {vector.Text}";
    }

    // 16 barriers; threads that take part are whole warps.
    private static string? Barrier(PtxInstruction instruction, PtxFunction function)
    {
        static bool Constant(PtxOperand operand, Func<long, bool> holds) =>
            operand.Kind != PtxOperandKind.Integer
                || (long.TryParse(operand.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && holds(value));
        return !Constant(instruction.Operands[0], value => value < 16) ? "barriers are numbered 0 to 15"
            : instruction.Operands.Length > 1 && !Constant(
                instruction.Operands[1], value => value > 0 && value % 32 == 0) ? "a barrier takes whole warps"
            : null;
    }
}
