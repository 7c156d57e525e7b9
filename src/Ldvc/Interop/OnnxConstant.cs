using System.Runtime.InteropServices;

namespace Ldvc.Interop;

/// <summary>
/// A tensor that an ONNX model carries. Its values are asked for when the file is written, so a large model is never held twice. Field numbers are
/// those of TensorProto in onnx.proto.
/// </summary>
internal sealed class OnnxConstant
{
    private const int RawData = 9;
    private const int InAnotherFile = 1;
    private readonly ProtoWriter _head = new();
    private readonly Func<Array> _values;

    private OnnxConstant(string name, int type, int size, ReadOnlySpan<int> shape, Func<Array> values)
    {
        long count = 1;
        foreach (int length in shape)
        {
            _head.Integer(1, length);
            count *= length;
        }

        _head.Integer(2, type).Text(8, name);
        Bytes = count * size;
        _values = values;
    }

    /// <summary>Bytes of the values.</summary>
    internal long Bytes { get; }

    internal static OnnxConstant Floats(string name, ReadOnlySpan<int> shape, Func<float[]> values) =>
        new(name, OnnxGraph.FloatType, sizeof(float), shape, values);

    internal static OnnxConstant Integers(string name, long[] values) => new(name, OnnxGraph.Int64Type, sizeof(long), [values.Length], () => values);

    /// <summary>Everything of the message before the values.</summary>
    internal byte[] Inside()
    {
        var message = new ProtoWriter();
        return [.. _head.Written, .. message.Prefix(RawData, Bytes).Written];
    }

    /// <summary>The whole message of a tensor whose values lie in another file.</summary>
    internal byte[] Outside(string file, long offset)
    {
        static ProtoWriter Entry(string key, string value) => new ProtoWriter().Text(1, key).Text(2, value);
        var message = new ProtoWriter()
            .Message(13, Entry("location", file))
            .Message(13, Entry("offset", FormattableString.Invariant($"{offset}")))
            .Message(13, Entry("length", FormattableString.Invariant($"{Bytes}")))
            .Integer(14, InAnotherFile);
        return [.. _head.Written, .. message.Written];
    }

    /// <summary>Writes the values, little-endian.</summary>
    internal void Write(Stream stream)
    {
        Array values = _values();
        ReadOnlySpan<byte> bytes = values is float[] floats ? MemoryMarshal.AsBytes<float>(floats) : MemoryMarshal.AsBytes<long>((long[])values);
        if (bytes.Length != Bytes)
        {
            throw new InvalidOperationException($"a constant of {Bytes} bytes got {bytes.Length}");
        }

        stream.Write(bytes);
    }
}
