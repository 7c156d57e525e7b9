using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>A fundamental type: kind b (bits), u, s, f or p (predicate), and its width in bits (PTX ISA 5.2).</summary>
internal readonly record struct PtxType(char Kind, int Bits)
{
    internal static readonly PtxType Predicate = new('p', 1);

    /// <summary>Bytes in memory.</summary>
    internal int Bytes => Bits / 8;

    /// <summary>Registers of 32 bits that a value takes; predicates have a file of their own.</summary>
    internal int Words => Kind == 'p' ? 0 : Math.Max(1, Bits / 32);

    /// <summary>The type of a suffix without its dot, or null.</summary>
    internal static PtxType? Parse(string suffix)
    {
        if (suffix == "pred")
        {
            return Predicate;
        }

        bool known = suffix is "b8" or "b16" or "b32" or "b64" or "u8" or "u16" or "u32" or "u64"
            or "s8" or "s16" or "s32" or "s64" or "f16" or "f32" or "f64";
        return known ? new PtxType(suffix[0], int.Parse(suffix.AsSpan(1), CultureInfo.InvariantCulture)) : null;
    }

    /// <summary>
    /// Whether a register of this type may stand where an instruction has <paramref name="instruction"/> (PTX ISA 9.4): bits go with everything of
    /// their size, signed with unsigned, floats with floats. Where sizes may differ (ld, st, cvt) the register may be wider, but then not a float's,
    /// and for a float only bits.
    /// </summary>
    internal bool Fits(PtxType instruction, bool mayBeWider = false)
    {
        if (Kind == 'p' || instruction.Kind == 'p')
        {
            return Kind == instruction.Kind;
        }

        bool kinds = Kind == 'b' || instruction.Kind == 'b' || (Kind == 'f') == (instruction.Kind == 'f');
        if (Bits == instruction.Bits)
        {
            return kinds;
        }

        bool widens = Kind == 'b' || (Kind != 'f' && instruction.Kind != 'f') || (Kind == 'f' && instruction.Kind == 'b');
        return mayBeWider && Bits > instruction.Bits && widens;
    }

    /// <inheritdoc/>
    public override string ToString() => Kind == 'p' ? ".pred" : $".{Kind}{Bits}";
}
