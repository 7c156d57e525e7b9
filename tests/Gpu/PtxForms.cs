using System.Text.RegularExpressions;

namespace Ldvc.Tests.Gpu;

/// <summary>The instruction forms of PTX 8.0 for sm_80 that ILGPU and the custom intrinsics write, and the registers that each takes.</summary>
internal static partial class PtxForms
{
    private const string Integer = "(s16|s32|s64|u16|u32|u64)";
    private const string Bits = "(b16|b32|b64)";
    private const string Any = "(s8|u8|b8|s16|s32|s64|u16|u32|u64|b16|b32|b64|f32|f64)";
    private const string Float = "(f32|f64)";
    private const string Compare = "(eq|ne|lt|le|gt|ge|lo|ls|hi|hs|equ|neu|ltu|leu|gtu|geu|num|nan)";

    // A form and its operands: d, a, b, ... one letter each. t: the last type; w: twice as wide; s: the type before the last; x: 32 bits;
    // p: predicate; @: an address of 64 bits or a symbol; v: one register or a vector of the last type; i: a constant; *: not checked here.
    private static readonly (Regex Opcode, string Operands)[] s_forms =
    [
        (New($@"(add|sub|min|max)\.{Integer}"), "ttt"),
        (New($@"(add|sub|mul|min|max)(\.rn)?(\.ftz)?\.{Float}"), "ttt"),
        (New($@"mul\.(lo|hi)\.{Integer}"), "ttt"),
        (New(@"mul\.wide\.(s16|s32|u16|u32)"), "wtt"),
        (New($@"mad\.(lo|hi)\.{Integer}"), "tttt"),
        (New(@"mad\.wide\.(s16|s32|u16|u32)"), "wttw"),
        (New($@"fma\.rn(\.ftz)?\.{Float}"), "tttt"),
        (New($@"div\.{Integer}"), "ttt"),
        (New($@"div\.(rn|approx|full)(\.ftz)?\.{Float}"), "ttt"),
        (New($@"rem\.{Integer}"), "ttt"),
        (New($@"(abs|neg)\.(s16|s32|s64|f32|f64)"), "tt"),
        (New($@"(rcp|sqrt)\.(rn|approx)(\.ftz)?\.{Float}"), "tt"),
        (New(@"(rsqrt|ex2|lg2|sin|cos)\.approx(\.ftz)?\.f32"), "tt"),
        (New(@"(and|or|xor)\.(b16|b32|b64|pred)"), "ttt"),
        (New(@"not\.(b16|b32|b64|pred)"), "tt"),
        (New(@"shl\.(b16|b32|b64)"), "ttx"),
        (New(@"shr\.(b16|b32|b64|s16|s32|s64|u16|u32|u64)"), "ttx"),
        (New(@"(popc|clz)\.(b32|b64)"), "xt"),
        (New($@"setp\.{Compare}\.(s16|s32|s64|u16|u32|u64|b16|b32|b64|f32|f64)"), "ptt"),
        (New(@"selp\.(b16|b32|b64|s16|s32|s64|u16|u32|u64|f32|f64)"), "tttp"),
        (New(@"mov\.(pred|b16|b32|b64|s32|s64|u32|u64|f32|f64)"), "tt"),
        (New(@"cvt(\.rni|\.rzi|\.rmi|\.rpi|\.rn|\.rz)?(\.ftz)?(\.sat)?\.(s8|u8|s16|s32|s64|u16|u32|u64|f32|f64)\.(s8|u8|s16|s32|s64|u16|u32|u64|f32|f64)"), "st"),
        (New(@"cvt\.rn\.bf16x2\.f32"), "stt"),
        (New(@"cvt\.rna\.tf32\.f32"), "st"),
        (New(@"cvta(\.to)?\.(global|shared|local)\.u64"), "tt"),
        (New($@"ld\.(global|shared|param)(\.v2|\.v4)?\.{Any}"), "v@"),
        (New($@"st\.(global|shared|param)(\.v2|\.v4)?\.{Any}"), "@v"),
        (New(@"bra(\.uni)?"), "*"),
        (New("ret"), ""),
        (New(@"bar\.sync"), "i"),
        (New(@"bar\.warp\.sync"), "i"),
        (New(@"membar\.(cta|gl|sys)"), ""),
        (New(@"shfl\.sync\.(idx|up|down|bfly)\.b32"), "ttxxx"),
        (New(@"mma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.bf16\.bf16\.f32"), "****"),
        (New(@"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32"), "****"),
        (New(@"ldmatrix\.sync\.aligned\.m8n8\.x4(\.trans)?\.shared\.b16"), "v@"),
        (New(@"cp\.async\.cg\.shared\.global"), "@@ix"),
        (New(@"cp\.async\.commit_group"), ""),
        (New(@"cp\.async\.wait_group"), "i"),
    ];

    /// <summary>Registers that an instruction writes.</summary>
    internal static IEnumerable<string> Written(PtxInstruction instruction) =>
        instruction.Operands.Length == 0 || NoResult().IsMatch(instruction.Opcode) ? [] : RegisterName().Matches(instruction.Operands[0]).Select(match => match.Value);

    /// <summary>What is wrong with an instruction, or null. Registers: prefix -> type and count.</summary>
    internal static string? Problem(PtxInstruction instruction, IReadOnlyDictionary<string, (string Type, int Count)> registers)
    {
        var (opcode, pattern) = s_forms.FirstOrDefault(form => form.Opcode.IsMatch(instruction.Opcode));
        if (opcode is null)
        {
            return "unknown instruction form";
        }

        string[] suffixes = instruction.Opcode.Split('.');
        string last = suffixes[^1], before = suffixes.Length > 1 ? suffixes[^2] : "";
        if (instruction.Opcode.StartsWith("mma", StringComparison.Ordinal))
        {
            int[] sizes = [.. instruction.Operands.Select(operand => RegisterName().Count(operand))];
            bool kinds = instruction.Operands.Select((operand, i) => RegisterName().Matches(operand).All(match => Declared(match.Value, registers) == (i is 0 or 3 ? "f32" : "b32"))).All(x => x);
            return sizes is [4, 4, 2, 4] && kinds ? null : "operands of mma";
        }

        if (instruction.Operands.Length != pattern.Length)
        {
            return $"{pattern.Length} operands expected";
        }

        for (int i = 0; i < pattern.Length; i++)
        {
            string operand = instruction.Operands[i];
            string? problem = pattern[i] switch
            {
                't' => Scalar(operand, last, registers),
                's' => Scalar(operand, before is "bf16x2" or "tf32" ? "b32" : before, registers),
                'w' => Scalar(operand, last.Replace("32", "64", StringComparison.Ordinal).Replace("16", "32", StringComparison.Ordinal), registers),
                'x' => Scalar(operand, "b32", registers),
                'p' => operand.StartsWith("%p", StringComparison.Ordinal) ? null : "a predicate expected",
                'v' => Vector(operand, instruction.Opcode, last, registers),
                '@' => Address(operand, instruction.Opcode, last, registers),
                'i' => long.TryParse(operand, out _) ? null : "a constant expected",
                _ => null,
            };
            if (problem is not null)
            {
                return problem;
            }
        }

        return suffixes[0] == "cp" && instruction.Operands.Length == 4 && instruction.Operands[2] != "16" ? "cp.async.cg copies 16 bytes" : null;
    }

    private static string? Scalar(string operand, string type, IReadOnlyDictionary<string, (string Type, int Count)> registers)
    {
        if (!RegisterName().IsMatch(operand))
        {
            // Constants, special registers and symbols.
            return ConstantOperand().IsMatch(operand) ? null : "not an operand";
        }

        return Fits(operand, type, registers) ? null : $"{operand} is no {type}";
    }

    private static string? Vector(string operand, string opcode, string type, IReadOnlyDictionary<string, (string Type, int Count)> registers)
    {
        // Loads and stores take registers wider than the value, stores constants too; ldmatrix fills 32-bit registers.
        int expected = Count(opcode);
        string wanted = opcode.StartsWith("ldmatrix", StringComparison.Ordinal) ? "b32" : type;
        string[] elements = operand.StartsWith('{') ? PtxText.Split(operand[1..^1]) : [operand];
        if (elements.Length != expected || (expected > 1 && operand[0] != '{'))
        {
            return $"{expected} registers expected";
        }

        foreach (string element in elements)
        {
            bool fits = RegisterName().IsMatch(element) ? Fits(element, wanted, registers, wider: true) : opcode.StartsWith("st", StringComparison.Ordinal);
            if (!fits || Scalar(element, element.StartsWith('%') ? Declared(element, registers) : wanted, registers) is not null)
            {
                return $"{element} is no {wanted}";
            }
        }

        return null;
    }

    private static string? Address(string operand, string opcode, string type, IReadOnlyDictionary<string, (string Type, int Count)> registers)
    {
        var match = AddressOperand().Match(operand);
        if (!match.Success)
        {
            return "not an address";
        }

        if (match.Groups[1].Value.StartsWith('%') && !Fits(match.Groups[1].Value, "b64", registers))
        {
            return "addresses have 64 bits";
        }

        int bytes = opcode.StartsWith("cp", StringComparison.Ordinal) || opcode.StartsWith("ldmatrix", StringComparison.Ordinal) ? 16 : Width(type) / 8 * Count(opcode);
        return bytes > 16 ? "more than 16 bytes at once" : match.Groups[2].Success && int.Parse(match.Groups[2].Value, null) % bytes != 0 ? "misaligned offset" : null;
    }

    private static int Count(string opcode) => opcode.Contains(".v4.") || opcode.Contains(".x4.") ? 4 : opcode.Contains(".v2.") ? 2 : 1;

    private static bool Fits(string register, string type, IReadOnlyDictionary<string, (string Type, int Count)> registers, bool wider = false)
    {
        string own = Declared(register, registers);
        if (own == "pred" || type == "pred")
        {
            return own == type;
        }

        // Untyped bits go into any register, and untyped registers hold any number; else a number's kind must be its register's.
        bool kind = type[0] == 'b' || own[0] == 'b' || own[0] == 'f' == (type[0] == 'f');
        return kind && (Width(own) == Width(type) || (wider && Width(own) > Width(type)) || (Width(type) == 8 && Width(own) >= 16));
    }

    private static string Declared(string register, IReadOnlyDictionary<string, (string Type, int Count)> registers) =>
        registers.GetValueOrDefault(RegisterName().Match(register).Groups[1].Value).Type ?? "none";

    private static int Width(string type) => int.TryParse(type.AsSpan(1), out int width) ? width : 0;

    private static Regex New(string pattern) => new($"^{pattern}$", RegexOptions.CultureInvariant);

    [GeneratedRegex(@"^(st|bra|ret|bar|membar|cp)\b")]
    private static partial Regex NoResult();

    [GeneratedRegex(@"%(p|rs|rd|r|fd|f)\d+\b")]
    private static partial Regex RegisterName();

    [GeneratedRegex(@"^(-?\d+|0[fFdD][0-9A-Fa-f]+|0x[0-9A-Fa-f]+|[A-Za-z_]\w*|%(tid|ntid|ctaid|nctaid)\.[xyz]|%laneid|%warpid)$")]
    private static partial Regex ConstantOperand();

    [GeneratedRegex(@"^\[([%\w]+)(?:\+(\d+))?\]$")]
    private static partial Regex AddressOperand();
}
