using System.Globalization;

namespace Ldvc.Ptx.Machine;

/// <summary>What instructions without memory or control compute (PTX ISA 9.7.1 to 9.7.6), on the bits of registers; predicates are 0 and 1.</summary>
internal static class PtxArithmetic
{
    private static readonly Dictionary<string, Func<ulong, ulong>> s_unary = new()
    {
        ["mov.b32"] = a => a,
        ["mov.b64"] = a => a,
        ["mov.f32"] = a => a,
        ["mov.f64"] = a => a,
        ["mov.pred"] = a => a,
        ["cvta.to.global.u64"] = a => a,
        ["neg.f32"] = a => a ^ 0x80000000,
        ["abs.f32"] = a => a & 0x7FFFFFFF,
        ["neg.s32"] = a => I(-S(a)),
        ["not.pred"] = a => a ^ 1,
        ["ex2.approx.f32"] = a => U((float)Math.Pow(2, F(a))),
        ["ex2.approx.ftz.f32"] = a => U(Flush((float)Math.Pow(2, Flush(F(a))))),
        ["lg2.approx.f32"] = a => U((float)Math.Log2(F(a))),
        ["rcp.rn.f32"] = a => U(1 / F(a)),
        ["sqrt.rn.f32"] = a => U(MathF.Sqrt(F(a))),
        ["sqrt.rn.f64"] = a => U(Math.Sqrt(D(a))),
        ["cvt.u32.u64"] = a => (uint)a,
        ["cvt.u64.u32"] = a => (uint)a,
        ["cvt.s64.s32"] = a => (ulong)S(a),
        ["cvt.s32.u8"] = a => (byte)a,
        ["cvt.u8.u32"] = a => (byte)a,
        ["cvt.u16.u32"] = a => (ushort)a,
        ["cvt.rn.f32.s32"] = a => U(S(a)),
        ["cvt.f64.f32"] = a => U((double)F(a)),
        ["cvt.rn.f32.f64"] = a => U((float)D(a)),
        ["cvt.rzi.s32.f32"] = a => I(ToInteger(F(a))),
        ["cvt.rna.tf32.f32"] = a => RoundTf32((uint)a),
        ["cvt.f32.f16"] = a => U(PtxTensorCore.OfFp16((ushort)a)),
    };

    private static readonly Dictionary<string, Func<ulong, ulong, ulong>> s_binary = new()
    {
        ["add.s32"] = (a, b) => (uint)(a + b),
        ["sub.s32"] = (a, b) => (uint)(a - b),
        ["mul.lo.s32"] = (a, b) => (uint)(a * b),
        ["mul.wide.u32"] = (a, b) => (ulong)(uint)a * (uint)b,
        ["add.u64"] = (a, b) => a + b,
        ["add.s64"] = (a, b) => a + b,
        ["mul.lo.s64"] = (a, b) => a * b,
        ["div.s32"] = (a, b) => I(S(a) / S(b)),
        ["rem.s32"] = (a, b) => I(S(a) % S(b)),
        ["min.s32"] = (a, b) => I(Math.Min(S(a), S(b))),
        ["max.s32"] = (a, b) => I(Math.Max(S(a), S(b))),
        ["and.b32"] = (a, b) => a & b,
        ["or.b32"] = (a, b) => a | b,
        ["xor.b32"] = (a, b) => a ^ b,
        ["or.b64"] = (a, b) => a | b,
        ["xor.b64"] = (a, b) => a ^ b,
        ["and.pred"] = (a, b) => a & b,
        ["or.pred"] = (a, b) => a | b,

        // Shifts by more than a register's width leave nothing, or the sign.
        ["shl.b32"] = (a, b) => b > 31 ? 0 : (uint)(a << (int)b),
        ["shr.u32"] = (a, b) => b > 31 ? 0 : (uint)a >> (int)b,
        ["shr.s32"] = (a, b) => I(S(a) >> (int)Math.Min(b, 31)),
        ["shl.b64"] = (a, b) => b > 63 ? 0 : a << (int)b,
        ["shr.u64"] = (a, b) => b > 63 ? 0 : a >> (int)b,
        ["add.f32"] = (a, b) => U(F(a) + F(b)),
        ["sub.f32"] = (a, b) => U(F(a) - F(b)),
        ["mul.f32"] = (a, b) => U(F(a) * F(b)),
        ["div.rn.f32"] = (a, b) => U(F(a) / F(b)),
        ["min.f32"] = (a, b) => U(Number(F(a), F(b), Math.Min)),
        ["max.f32"] = (a, b) => U(Number(F(a), F(b), Math.Max)),
        ["add.f64"] = (a, b) => U(D(a) + D(b)),
        ["mul.f64"] = (a, b) => U(D(a) * D(b)),
        ["div.rn.f64"] = (a, b) => U(D(a) / D(b)),

        // The first operand becomes the upper half.
        ["cvt.rn.bf16x2.f32"] = (a, b) => (RoundBf16((uint)a) << 16) | RoundBf16((uint)b),
        ["cvt.rn.f16x2.f32"] = (a, b) => (RoundFp16(F(a)) << 16) | RoundFp16(F(b)),
    };

    private static readonly Dictionary<string, Func<ulong, ulong, ulong, ulong>> s_ternary = new()
    {
        ["fma.rn.f32"] = (a, b, c) => U(MathF.FusedMultiplyAdd(F(a), F(b), F(c))),
        ["selp.b32"] = (a, b, c) => c != 0 ? a : b,
        ["selp.b64"] = (a, b, c) => c != 0 ? a : b,
    };

    internal static Func<ulong, ulong>? Unary(string opcode) => s_unary.GetValueOrDefault(opcode);

    internal static Func<ulong, ulong, ulong>? Binary(string opcode) =>
        s_binary.GetValueOrDefault(opcode) ?? (opcode.StartsWith("setp.", StringComparison.Ordinal) ? Comparison(opcode.Split('.')) : null);

    internal static Func<ulong, ulong, ulong, ulong>? Ternary(string opcode) => s_ternary.GetValueOrDefault(opcode);

    /// <summary>The bits of a constant for a register of a type.</summary>
    internal static ulong Constant(PtxOperand operand)
    {
        string text = operand.Text;
        if (operand.Kind == PtxOperandKind.Float)
        {
            return ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        bool negative = text.StartsWith('-');
        string digits = text.TrimStart('-');
        ulong value = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.Parse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : ulong.Parse(digits, CultureInfo.InvariantCulture);
        return negative ? 0 - value : value;
    }

    internal static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    internal static ulong U(float value) => BitConverter.SingleToUInt32Bits(value);

    // lt, le, gt, ge, eq and ne are false for NaNs, those with u behind them are true; lo, ls, hi and hs compare without sign.
    private static Func<ulong, ulong, ulong>? Comparison(string[] parts)
    {
        string how = parts[1], type = parts[^1];
        Func<int, bool>? holds = how.TrimEnd('u') switch
        {
            "lt" or "lo" => c => c < 0,
            "le" or "ls" => c => c <= 0,
            "gt" or "hi" => c => c > 0,
            "ge" or "hs" => c => c >= 0,
            "eq" => c => c == 0,
            "ne" => c => c != 0,
            _ => null,
        };
        bool unordered = how.Length == 3;
        return holds is null ? null : type switch
        {
            "s32" => (a, b) => B(holds(S(a).CompareTo(S(b)))),
            "u32" => (a, b) => B(holds(((uint)a).CompareTo((uint)b))),
            "s64" => (a, b) => B(holds(((long)a).CompareTo((long)b))),
            "u64" => (a, b) => B(holds(a.CompareTo(b))),
            "f32" => (a, b) => B(float.IsNaN(F(a)) || float.IsNaN(F(b)) ? unordered : holds(F(a).CompareTo(F(b)))),
            "f64" => (a, b) => B(double.IsNaN(D(a)) || double.IsNaN(D(b)) ? unordered : holds(D(a).CompareTo(D(b)))),
            _ => null,
        };
    }

    private static ulong B(bool value) => value ? 1UL : 0;

    private static int S(ulong bits) => (int)(uint)bits;

    private static ulong I(int value) => (uint)value;

    private static double D(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong U(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static float Flush(float value) => float.IsSubnormal(value) ? 0 : value;

    // The other one, if one is no number.
    private static float Number(float a, float b, Func<float, float, float> of) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : of(a, b);

    private static int ToInteger(float value) =>
        float.IsNaN(value) ? 0 : value >= int.MaxValue ? int.MaxValue : value <= int.MinValue ? int.MinValue : (int)value;

    // To the nearest, ties to even.
    private static ulong RoundBf16(uint bits) =>
        float.IsNaN(BitConverter.UInt32BitsToSingle(bits)) ? 0x7FFFu : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;

    // To the nearest, ties to even; what would be 65536 or more is infinite. Below 2^-14 the last bit stays 2^-24. In double precision nothing else
    // rounds.
    internal static ulong RoundFp16(float value)
    {
        if (float.IsNaN(value))
        {
            return 0x7FFF;
        }

        ulong sign = float.IsNegative(value) ? 0x8000UL : 0;
        double size = Math.Abs((double)value);
        if (size >= 65520)
        {
            return sign | 0x7C00;
        }

        int exponent = Math.Max(size == 0 ? -14 : Math.ILogB(size), -14);
        ulong units = (ulong)Math.Round(Math.ScaleB(size, 10 - exponent), MidpointRounding.ToEven);

        // 1024 units are the bit that is not stored: a carry goes on into the exponent.
        return sign | (((ulong)(exponent + 14) << 10) + units);
    }

    // To the nearest with 10 bits behind the point, ties away from zero.
    private static ulong RoundTf32(uint bits) => float.IsFinite(BitConverter.UInt32BitsToSingle(bits)) ? (bits + 0x1000) & ~0x1FFFu : bits;
}
