using System.Text;
using Ldvc.Configuration;

namespace Ldvc.Imaging.Matlab;

/// <summary>What stands before the content of an array.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsComplex">Whether it has an imaginary part.</param>
/// <param name="Sizes">Rows, columns, and so on; empty where the kind has none.</param>
/// <param name="Name">The variable's name; empty inside of others.</param>
internal sealed record MatArray(MatKind Kind, bool IsComplex, int[] Sizes, string Name)
{
    private const int MaxAxes = 32;
    private const int MaxName = 4096;
    private const int LastNumeric = (int)MatKind.UInt64;
    private const uint ComplexFlag = 0x800;

    /// <summary>Whether its numbers may be labels.</summary>
    internal bool IsMatrix => Kind is >= MatKind.Double and <= (MatKind)LastNumeric && !IsComplex && Sizes.Length == 2;

    /// <summary>Name, if it has one, sizes and kind, for messages.</summary>
    public override string ToString()
    {
        string name = Name.Length > 0 ? ConfigText.Quote(Name) + " " : "";
        return $"{name}({string.Join('x', Sizes)}{(IsComplex ? " complex" : "")} {Kind.ToString().ToLowerInvariant()})";
    }

    /// <summary>Reads it; the reader is behind the array's tag, and then before its content.</summary>
    /// <returns>Null for what has another structure: objects of classes and functions.</returns>
    internal static MatArray? Read(MatReader reader)
    {
        Span<byte> word = stackalloc byte[8];
        reader.ReadElement(MatType.UInt32, word);
        uint flags = reader.UInt32(word);
        int kind = (int)(flags & 0xFF);
        if (kind is < (int)MatKind.Cell or > LastNumeric)
        {
            return null;
        }

        byte[] sizes = reader.ReadElement(MatType.Int32, MaxAxes * sizeof(int));
        var shape = new int[sizes.Length / sizeof(int)];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = (int)reader.UInt32(sizes.AsSpan(i * sizeof(int)));
        }

        if (shape.Length < 2 || shape.Any(size => size < 0))
        {
            throw reader.Damaged("expected an array's sizes");
        }

        string name = Encoding.UTF8.GetString(reader.ReadElement(MatType.Int8, MaxName));
        return new MatArray((MatKind)kind, (flags & ComplexFlag) != 0, shape, name);
    }
}
