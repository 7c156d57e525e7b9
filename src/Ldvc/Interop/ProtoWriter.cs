using System.Buffers;
using System.Text;

namespace Ldvc.Interop;

/// <summary>The little of protobuf's wire format that an ONNX file needs.</summary>
internal sealed class ProtoWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    internal ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    internal ProtoWriter Integer(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    internal ProtoWriter Float(int field, float value)
    {
        Varint(((ulong)field << 3) | 5);
        _buffer.Write(BitConverter.GetBytes(value));
        return this;
    }

    internal ProtoWriter Bytes(int field, ReadOnlySpan<byte> value)
    {
        Prefix(field, value.Length);
        _buffer.Write(value);
        return this;
    }

    internal ProtoWriter Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    internal ProtoWriter Message(int field, ProtoWriter value) => Bytes(field, value.Written);

    /// <summary>Announces bytes that follow from elsewhere.</summary>
    internal ProtoWriter Prefix(int field, long length)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)length);
        return this;
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _buffer.Write([(byte)(value | 0x80)]);
        }

        _buffer.Write([(byte)value]);
    }
}
