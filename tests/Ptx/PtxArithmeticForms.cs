namespace Ldvc.Ptx;

/// <summary>Arithmetic, comparison, logic and conversion (PTX ISA 9.7.1 to 9.7.9).</summary>
internal static class PtxArithmeticForms
{
    private const string Integer = "(u16|u32|u64|s16|s32|s64)";
    private const string Signed = "(s16|s32|s64)";
    private const string Bits = "(b16|b32|b64)";
    private const string Round = @"\.(rn|rz|rm|rp)";
    private const string Whole = @"\.(rni|rzi|rmi|rpi)";
    private const string AnyInteger = "(u8|u16|u32|u64|s8|s16|s32|s64)";

    internal static IEnumerable<PtxForm> All { get; } =
    [
        // Integers.
        PtxForm.New($@"(add|sub)\.{Integer}", "Ttt"),
        PtxForm.New(@"(add|sub)\.sat\.s32", "Ttt"),
        PtxForm.New($@"mul\.(hi|lo)\.{Integer}", "Ttt"),
        PtxForm.New(@"mul\.wide\.(u16|u32|s16|s32)", "Wtt"),
        PtxForm.New($@"mad\.(hi|lo)\.{Integer}", "Tttt"),
        PtxForm.New(@"mad\.wide\.(u16|u32|s16|s32)", "Wttw"),
        PtxForm.New($@"(div|rem|min|max)\.{Integer}", "Ttt"),
        PtxForm.New($@"(abs|neg)\.{Signed}", "Tt"),
        PtxForm.New(@"(popc|clz)\.(b32|b64)", "Xt", 20, 20),
        PtxForm.New(@"brev\.(b32|b64)", "Tt", 20, 20),
        PtxForm.New(@"bfe\.(u32|u64|s32|s64)", "Ttxx", 20, 20),
        PtxForm.New(@"bfi\.(b32|b64)", "Tttxx", 20, 20),
        PtxForm.New(@"prmt\.b32", "Tttt", 20, 20),

        // Floats: what rounds says how, but for add, sub and mul, which round to nearest.
        PtxForm.New($@"(add|sub|mul)({Round})?(\.ftz)?(\.sat)?\.f32", "Ttt"),
        PtxForm.New($@"(add|sub|mul)({Round})?\.f64", "Ttt", 14, 13),
        PtxForm.New($@"fma{Round}(\.ftz)?(\.sat)?\.f32", "Tttt", 20, 20),
        PtxForm.New($@"fma{Round}\.f64", "Tttt", 14, 13),
        PtxForm.New(@"(min|max)(\.ftz)?\.f32", "Ttt"),
        PtxForm.New(@"(min|max)(\.ftz)?\.NaN\.f32", "Ttt", 70, 80),
        PtxForm.New(@"(min|max)\.f64", "Ttt", 14, 13),
        PtxForm.New(@"(abs|neg)(\.ftz)?\.f32", "Tt"),
        PtxForm.New(@"(abs|neg)\.f64", "Tt", 14, 13),
        PtxForm.New(@"div\.(approx|full)(\.ftz)?\.f32", "Ttt", 14),
        PtxForm.New($@"div{Round}(\.ftz)?\.f32", "Ttt", 14, 20),
        PtxForm.New($@"div{Round}\.f64", "Ttt", 14, 13),
        PtxForm.New(@"(rcp|sqrt)\.approx(\.ftz)?\.f32", "Tt", 14),
        PtxForm.New($@"(rcp|sqrt){Round}(\.ftz)?\.f32", "Tt", 14, 20),
        PtxForm.New($@"(rcp|sqrt){Round}\.f64", "Tt", 14, 13),
        PtxForm.New(@"(rsqrt|sin|cos|lg2|ex2)\.approx(\.ftz)?\.f32", "Tt", 14),
        PtxForm.New(@"tanh\.approx\.f32", "Tt", 70, 75),

        // Comparison and choice. Bits know equality alone, unsigned numbers have operators of their own, floats such that hold for NaN.
        PtxForm.New($@"setp\.(eq|ne|lt|le|gt|ge)\.{Signed}", "Ptt"),
        PtxForm.New(@"setp\.(eq|ne|lo|ls|hi|hs|lt|le|gt|ge)\.(u16|u32|u64)", "Ptt"),
        PtxForm.New($@"setp\.(eq|ne)\.{Bits}", "Ptt"),
        PtxForm.New(@"setp\.(eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan)(\.ftz)?\.f32", "Ptt"),
        PtxForm.New(@"setp\.(eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan)\.f64", "Ptt", 14, 13),
        PtxForm.New(@"selp\.(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)", "Tttp"),

        // Logic.
        PtxForm.New($@"(and|or|xor)\.(pred|b16|b32|b64)", "Ttt"),
        PtxForm.New($@"not\.(pred|b16|b32|b64)", "Tt"),
        PtxForm.New($@"shl\.{Bits}", "Ttx"),
        PtxForm.New(@"shr\.(b16|b32|b64|u16|u32|u64|s16|s32|s64)", "Ttx"),
        PtxForm.New(
            @"lop3\.b32",
            "Tttti",
            43,
            50,
            (i, _) => long.TryParse(i.Operands[4].Text, out long table) && table is >= 0 and <= 255 ? null : "a table of 0 to 255 expected"),

        // Conversion: between kinds a rounding is a must, where nothing is lost it is an error.
        PtxForm.New($@"cvt(\.sat)?\.{AnyInteger}\.{AnyInteger}", "St"),
        PtxForm.New($@"cvt{Whole}(\.ftz)?(\.sat)?\.{AnyInteger}\.f32", "St"),
        PtxForm.New($@"cvt{Whole}(\.sat)?\.{AnyInteger}\.f64", "St", 14, 13),
        PtxForm.New($@"cvt{Round}(\.sat)?\.f32\.{AnyInteger}", "St"),
        PtxForm.New($@"cvt{Round}(\.sat)?\.f64\.{AnyInteger}", "St", 14, 13),
        PtxForm.New($@"cvt{Round}(\.ftz)?(\.sat)?\.f32\.f64", "St", 14, 13),
        PtxForm.New(@"cvt(\.ftz)?(\.sat)?\.f64\.f32", "St", 14, 13),
        PtxForm.New($@"cvt({Whole})?(\.ftz)?(\.sat)?\.f32\.f32", "St"),
        PtxForm.New($@"cvt({Whole})?(\.sat)?\.f64\.f64", "St", 14, 13),
        PtxForm.New(@"cvt\.(rn|rz)(\.relu)?\.bf16x2\.f32", "Xtt", 70, 80),
        PtxForm.New(@"cvt\.(rn|rz)(\.relu)?\.f16x2\.f32", "Xtt", 70, 80),
        PtxForm.New(@"cvt(\.ftz)?(\.sat)?\.f32\.f16", "Sh", 20, 20),
        PtxForm.New(@"cvt\.(rn|rz)(\.relu)?\.bf16\.f32", "Ht", 70, 80),
        PtxForm.New(@"cvt\.rna\.tf32\.f32", "Xt", 70, 80),
    ];
}
