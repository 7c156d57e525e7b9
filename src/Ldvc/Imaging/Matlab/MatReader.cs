using System.Buffers.Binary;
using Ldvc.Tensors;

namespace Ldvc.Imaging.Matlab;

/// <summary>
/// Reads the data elements of a MAT-file, version 5, one behind the other, from the file or from what one of its elements unfolds to. Nothing is
/// kept of what is passed over.
/// </summary>
/// <param name="stream">Where the elements stand.</param>
/// <param name="isBigEndian">Whether numbers have their highest byte first.</param>
/// <param name="limit">How many bytes may be read: a few kilobytes may unfold to gigabytes.</param>
/// <param name="name">What the file is called in messages.</param>
internal sealed class MatReader(Stream stream, bool isBigEndian, long limit, string name)
{
    private const int TagBytes = 8;
    private const int SmallBytes = 4;

    private readonly byte[] _passedOver = new byte[4096];
    private long _read;

    /// <summary>What the next element is, or null at the end.</summary>
    internal MatTag? NextTag()
    {
        Span<byte> tag = stackalloc byte[TagBytes];
        int read = stream.ReadAtLeast(tag[..SmallBytes], SmallBytes, throwOnEndOfStream: false);
        if (read == 0)
        {
            return null;
        }

        if (read < SmallBytes)
        {
            throw Truncated();
        }

        // A small element has its size in the upper half and its bytes in the tag.
        _read += SmallBytes;
        uint first = UInt32(tag);
        if (first >> 16 is not 0 and var size)
        {
            return size <= SmallBytes
                ? new MatTag((MatType)(first & 0xFFFF), size, SmallBytes, SmallBytes)
                : throw Damaged("expected an element's type");
        }

        ReadBytes(tag[SmallBytes..]);
        uint bytes = UInt32(tag[SmallBytes..]);

        // What is compressed is not filled up, everything else to eight bytes.
        return new MatTag((MatType)first, bytes, first == (uint)MatType.Compressed ? bytes : ((long)bytes + 7) / 8 * 8, TagBytes);
    }

    /// <summary>Reads an element of known type and size.</summary>
    internal void ReadElement(MatType type, Span<byte> bytes)
    {
        MatTag tag = Expect(type);
        if (tag.Bytes != bytes.Length)
        {
            throw Damaged($"expected an element of {bytes.Length} bytes, found {tag.Bytes}");
        }

        ReadBytes(bytes);
        Skip(tag.Padding);
    }

    /// <summary>Reads an element of known type.</summary>
    internal byte[] ReadElement(MatType type, int most)
    {
        MatTag tag = Expect(type);
        if (tag.Bytes > most)
        {
            throw Damaged($"expected an element of at most {most} bytes, found {tag.Bytes}");
        }

        var bytes = new byte[(int)tag.Bytes];
        ReadBytes(bytes);
        Skip(tag.Padding);
        return bytes;
    }

    /// <summary>Fills <paramref name="bytes"/>.</summary>
    internal void ReadBytes(Span<byte> bytes)
    {
        Count(bytes.Length);
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw Truncated();
        }
    }

    /// <summary>Passes over bytes.</summary>
    internal void Skip(long bytes)
    {
        for (; bytes > 0; bytes -= _passedOver.Length)
        {
            ReadBytes(_passedOver.AsSpan(0, (int)Math.Min(bytes, _passedOver.Length)));
        }
    }

    /// <summary>Reads what is left, so that the checksum behind it is compared.</summary>
    /// <param name="size">How many bytes there are in all.</param>
    internal void ReadToEnd(long size)
    {
        for (int read; (read = stream.Read(_passedOver)) > 0;)
        {
            Count(read);
        }

        if (_read != size)
        {
            throw Damaged($"expected {size} bytes of a variable, found {_read}");
        }
    }

    /// <summary>A number of the file.</summary>
    internal uint UInt32(ReadOnlySpan<byte> bytes) =>
        isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    /// <summary>Brings the numbers of the file into this machine's order of bytes.</summary>
    /// <param name="bytes">The numbers.</param>
    /// <param name="size">Bytes of one.</param>
    internal void ToMachineOrder(Span<byte> bytes, int size)
    {
        if (isBigEndian == BitConverter.IsLittleEndian)
        {
            for (int i = 0; i < bytes.Length; i += size)
            {
                bytes.Slice(i, size).Reverse();
            }
        }
    }

    /// <summary>The exception for a file that breaks off.</summary>
    internal InputException Truncated() => new($"{name}: truncated, a MATLAB array ends early");

    /// <summary>The exception for a file that cannot be understood.</summary>
    internal InputException Damaged(string what) => new($"{name}: damaged MATLAB file, {what}");

    private void Count(int bytes)
    {
        _read += bytes;
        if (_read > limit)
        {
            throw new InputException($"{name}: unfolds to more than {limit} bytes");
        }
    }

    private MatTag Expect(MatType type)
    {
        MatTag tag = NextTag() ?? throw Truncated();
        return tag.Type == type ? tag : throw Damaged($"expected an element of type {(int)type}, found {(int)tag.Type}");
    }
}
