using System.Buffers.Binary;

namespace Ldvc.Tensors.Serialization;

/// <summary>Something of a pickle that is read over and of which nothing is kept: a NumPy array among a training program's notes.</summary>
internal sealed class PickleOpaque
{
    /// <summary>The only one there is: however often a pickle makes one, no memory is taken.</summary>
    public static readonly PickleOpaque Instance = new();

    private PickleOpaque()
    {
    }
}

/// <summary>An element type of NumPy: a kind letter and a size in bytes, e.g. f8.</summary>
internal sealed class NumpyType(char kind, int size)
{
    /// <summary>Set by the state that a pickle gives the type after making it; such numbers are not read.</summary>
    public bool BigEndian { get; set; }

    /// <summary>The type that numpy.dtype makes of "f8" and the like; null for records, texts, times and everything else.</summary>
    public static NumpyType? Parse(string text) =>
        text.TrimStart('<', '|', '=') is [('f' or 'i' or 'u' or 'b') and var kind, var digit] && char.IsAsciiDigit(digit)
            ? new NumpyType(kind, digit - '0')
            : null;

    /// <summary>A little-endian scalar as a double, long or bool; null when the bytes are no such number.</summary>
    public object? Read(ReadOnlySpan<byte> bytes) => bytes.Length != size || BigEndian
        ? null
        : (kind, size) switch
        {
            ('f', 2) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
            ('f', 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
            ('f', 8) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            ('i', 1) => (long)(sbyte)bytes[0],
            ('i', 2) => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            ('i', 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            ('i', 8) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            ('u', 1) => (long)bytes[0],
            ('u', 2) => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            ('u', 4) => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            ('b', 1) => bytes[0] != 0,
            _ => null,
        };
}

/// <summary>What NumPy's few constructors in a pickle give: numbers, and nothing for the rest. Called with items that a file chose.</summary>
internal static class TorchNumpy
{
    // A number has 16 bytes at most; longer texts belong to arrays.
    private const int MaxEncoded = 16;

    /// <summary>numpy.dtype(text, align, copy); what it cannot describe is opaque.</summary>
    public static object? Type(object?[] items) =>
        items.Length is 1 or 3 && items[0] is string text ? (object?)NumpyType.Parse(text) ?? PickleOpaque.Instance : null;

    /// <summary>numpy.core.multiarray.scalar(type, bytes).</summary>
    public static object? Scalar(object?[] items) => items switch
    {
        [NumpyType type, byte[] bytes] => type.Read(bytes) ?? PickleOpaque.Instance,
        [NumpyType or PickleOpaque, _] => PickleOpaque.Instance,
        _ => null,
    };

    /// <summary>_codecs.encode(text, "latin1"): how bytes are written where pickles have no bytes of their own.</summary>
    public static object? Encode(object?[] items)
    {
        if (items is not [string text, "latin1" or "latin-1"])
        {
            return null;
        }

        return text.Length <= MaxEncoded && text.All(c => c <= 0xFF) ? Array.ConvertAll(text.ToCharArray(), c => (byte)c) : PickleOpaque.Instance;
    }
}
