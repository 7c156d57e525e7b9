namespace Ldvc.Ptx;

/// <summary>Data movement, asynchronous copies included (PTX ISA 9.7.8).</summary>
internal static class PtxMemoryForms
{
    private const string Any = "(b8|b16|b32|b64|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64)";
    private const string Vector = @"(\.(v2|v4))?";
    private const string Hint = @"(\.L2::(64B|128B|256B))?";

    internal static IEnumerable<PtxForm> All { get; } =
    [
        PtxForm.New(@"mov\.(pred|b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)", "Tt"),
        PtxForm.New($@"ld\.param{Vector}\.{Any}", "Va", extra: AtMost16Bytes),
        PtxForm.New($@"ld(\.volatile)?\.(global|shared|local|const){Vector}\.{Any}", "Va", extra: AtMost16Bytes),
        PtxForm.New($@"ld\.global\.(ca|cg|cs|lu|cv){Vector}\.{Any}", "Va", 20, 20, AtMost16Bytes),
        PtxForm.New($@"ld\.global(\.(ca|cg|cs))?\.nc{Vector}\.{Any}", "Va", 31, 32, AtMost16Bytes),
        PtxForm.New($@"st\.param{Vector}\.{Any}", "av", extra: AtMost16Bytes),
        PtxForm.New($@"st(\.volatile)?\.(global|shared|local){Vector}\.{Any}", "av", extra: AtMost16Bytes),
        PtxForm.New($@"st\.global\.(wb|cg|cs|wt){Vector}\.{Any}", "av", 20, 20, AtMost16Bytes),
        PtxForm.New(@"atom\.global\.(and|or|xor|exch)\.b32", "Tat", 11, 11),

        // ILGPU writes the operation before the memory; the assembler takes suffixes in any order.
        PtxForm.New(@"atom\.exch\.global\.b32", "Tat", 11, 11),
        PtxForm.New(@"atom\.(add|min|max)\.global\.(u32|s32)", "Tat", 11, 11),
        PtxForm.New(@"red\.(add|min|max)\.global\.(u32|s32)", "at", 12, 11),
        PtxForm.New(@"red\.global\.(and|or|xor)\.b32", "at", 12, 11),
        PtxForm.New(
            @"cvta\.to\.(global|shared|local|const)\.u64",
            "Tt",
            20,
            20,
            (i, _) => i.Operands[1].Kind == PtxOperandKind.Register ? null : "a register expected"),
        PtxForm.New(@"cvta\.(global|shared|local|const)\.u64", "Tt", 20, 20),
        PtxForm.New(@"shfl\.sync\.(up|down|bfly|idx)\.b32", "Ttxxx", 60, 30, Shuffle),
        PtxForm.New(@"ldmatrix\.sync\.aligned\.m8n8\.(x1|x2|x4)(\.trans)?(\.shared)?\.b16", "Ra", 65, 75, MatrixRegisters),
        PtxForm.New(@"ldmatrix\.sync\.aligned\.m8n8\.(x1|x2|x4)(\.trans)?\.shared::cta\.b16", "Ra", 78, 75, MatrixRegisters),
        PtxForm.New($@"cp\.async\.(ca|cg)\.shared\.global{Hint}", "aai", 70, 80, CopySize),
        PtxForm.New($@"cp\.async\.(ca|cg)\.shared\.global{Hint}", "aaix", 70, 80, CopySize),
        PtxForm.New(@"cp\.async\.(commit_group|wait_all)", "", 70, 80),
        PtxForm.New(
            @"cp\.async\.wait_group",
            "i",
            70,
            80,
            (i, _) => int.TryParse(i.Operands[0].Text, out int groups) && groups >= 0 ? null : "a number of groups expected"),
    ];

    /// <summary>Elements that an opcode moves at once.</summary>
    internal static int Count(PtxInstruction instruction) => instruction.Suffixes.Contains("v4") ? 4 : instruction.Suffixes.Contains("v2") ? 2 : 1;

    private static string? AtMost16Bytes(PtxInstruction instruction, PtxFunction function) =>
        PtxType.Parse(instruction.Suffixes[^1])!.Value.Bytes * Count(instruction) <= 16 ? null : "more than 16 bytes at once";

    private static string? MatrixRegisters(PtxInstruction instruction, PtxFunction function)
    {
        int matrices = instruction.Suffixes.Contains("x4") ? 4 : instruction.Suffixes.Contains("x2") ? 2 : 1;
        var target = instruction.Operands[0];
        return target.Kind == PtxOperandKind.Vector && target.Parts.Length == matrices ? null : $"{matrices} registers in braces expected";
    }

    // cg bypasses the first-level cache, which takes whole 16 bytes; the optional last operand says how many bytes of the source exist.
    private static string? CopySize(PtxInstruction instruction, PtxFunction function)
    {
        bool past = instruction.Suffixes.Contains("cg");
        if (!int.TryParse(instruction.Operands[2].Text, out int size) || !(past ? size == 16 : size is 4 or 8 or 16))
        {
            return past ? "cp.async.cg copies 16 bytes" : "cp.async.ca copies 4, 8 or 16 bytes";
        }

        bool fits = instruction.Operands.Length < 4 || instruction.Operands[3].Kind != PtxOperandKind.Integer
            || (int.TryParse(instruction.Operands[3].Text, out int source) && source >= 0 && source <= size);
        return fits ? null : "more source bytes than are copied";
    }

    // The clamp: 5 bits of last lane, then 5 bits of segment from bit 8 on.
    private static string? Shuffle(PtxInstruction instruction, PtxFunction function)
    {
        var (clamp, mask) = (instruction.Operands[3], instruction.Operands[4]);
        bool legal = clamp.Kind != PtxOperandKind.Integer || (long.TryParse(clamp.Text, out long value) && value >= 0 && (value & ~0x1F1FL) == 0);
        return !legal ? "clamp of shfl" : mask.Text == "0" ? "no lane in the mask of shfl" : null;
    }
}
