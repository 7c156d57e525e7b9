using System.Buffers.Binary;
using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>Buffered bytes of a pickle: a range of a file, read forwards. Running past the range's end is a truncated file.</summary>
internal sealed class PickleStream(ArchiveSource source, long start, long end)
{
    private const int MaxStringBytes = 1 << 20;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[Math.Clamp(end - start, 1, 1 << 14)];
    private int _used;
    private int _filled;

    /// <summary>Offset in the file of the next byte.</summary>
    public long Position { get; private set; } = start;

    /// <summary>The next byte.</summary>
    public int Byte()
    {
        if (_used == _filled)
        {
            Refill();
        }

        Position++;
        return _buffer[_used++];
    }

    /// <summary>The next <paramref name="count"/> bytes, at most 1 MiB: no legitimate name or note in a checkpoint is longer.</summary>
    public byte[] Bytes(ulong count)
    {
        if (count > MaxStringBytes || (long)count > end - Position)
        {
            throw Fault($"a string of {count} bytes (at most {Math.Min(MaxStringBytes, end - Position)} possible)");
        }

        byte[] result = new byte[(int)count];
        int done = 0;
        while (done < result.Length)
        {
            if (_used == _filled)
            {
                Refill();
            }

            int part = Math.Min(result.Length - done, _filled - _used);
            _buffer.AsSpan(_used, part).CopyTo(result.AsSpan(done));
            _used += part;
            done += part;
            Position += part;
        }

        return result;
    }

    /// <summary>An unsigned little-endian number of 1, 2, 4 or 8 bytes.</summary>
    public ulong Number(int bytes)
    {
        ulong value = 0;
        for (int i = 0; i < bytes; i++)
        {
            value |= (ulong)Byte() << (8 * i);
        }

        return value;
    }

    /// <summary>A big-endian double.</summary>
    public double Double() => BitConverter.Int64BitsToDouble(BinaryPrimitives.ReverseEndianness((long)Number(8)));

    /// <summary>UTF-8 text of a given length.</summary>
    public string Text(ulong bytes)
    {
        byte[] raw = Bytes(bytes);
        try
        {
            return StrictUtf8.GetString(raw);
        }
        catch (ArgumentException)
        {
            throw Fault("text that is not UTF-8");
        }
    }

    /// <summary>Printable ASCII up to a line feed, at most 512 characters.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (int c = Byte(); c != '\n'; c = Byte())
        {
            if (c is < 0x21 or > 0x7E || line.Length == 512)
            {
                throw Fault("an unusual name of a global");
            }

            line.Append((char)c);
        }

        return line.ToString();
    }

    /// <summary>The error for damage found at the current place.</summary>
    public InputException Fault(string what) => new($"{source.Path}: damaged or hostile pickle: {what} near byte {Position}.");

    private void Refill()
    {
        int count = (int)Math.Min(_buffer.Length, end - Position);
        if (count <= 0)
        {
            throw Fault("truncated");
        }

        source.Read(Position, _buffer.AsSpan(0, count));
        _used = 0;
        _filled = count;
    }
}
