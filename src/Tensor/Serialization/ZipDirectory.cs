using System.Buffers.Binary;
using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The directory of a zip archive (with the 64-bit extensions), read so that a stored entry's bytes can be read where they lie. PyTorch stores
/// everything it reads back, so a compressed entry is refused when it is asked for: there is no decompression, and no bomb.
/// </summary>
internal sealed class ZipDirectory
{
    private const int MaxEntries = 1_000_000;

    private readonly ArchiveSource _source;
    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal);
    private long _dataEnd;

    private ZipDirectory(ArchiveSource source)
    {
        _source = source;
    }

    /// <summary>Names of all entries. They are only ever looked up, never used as paths.</summary>
    public IEnumerable<string> Names => _records.Keys;

    /// <summary>Reads the directory at the archive's end.</summary>
    /// <exception cref="InputException">The archive is truncated or damaged.</exception>
    public static ZipDirectory Read(ArchiveSource source)
    {
        var directory = new ZipDirectory(source);
        directory.ReadRecords(directory.FindEnd());
        return directory;
    }

    /// <summary>Whether there is an entry of that name.</summary>
    public bool Contains(string name) => _records.ContainsKey(name);

    /// <summary>Where a stored entry's bytes begin, and how many there are.</summary>
    /// <exception cref="InputException">The entry is missing, compressed, encrypted or out of the file.</exception>
    public (long Offset, long Length) Locate(string name)
    {
        if (!_records.TryGetValue(name, out Record record))
        {
            throw Fault($"has no entry {ArchiveText.Quote(name)}");
        }

        if (record.Method != 0 || (record.Flags & 1) != 0 || record.Packed != record.Length)
        {
            throw Fault($"has a compressed or encrypted entry {ArchiveText.Quote(name)}, expected it stored as PyTorch does");
        }

        Span<byte> local = stackalloc byte[30];
        if (record.Header > _dataEnd - local.Length)
        {
            throw Fault($"has its entry {ArchiveText.Quote(name)} outside the file");
        }

        _source.Read(record.Header, local);
        int nameAndExtra = BinaryPrimitives.ReadUInt16LittleEndian(local[26..]) + BinaryPrimitives.ReadUInt16LittleEndian(local[28..]);
        long offset = record.Header + local.Length + nameAndExtra;
        if (BinaryPrimitives.ReadUInt32LittleEndian(local) != 0x04034B50 || offset > _dataEnd || record.Length > _dataEnd - offset)
        {
            throw Fault($"has its entry {ArchiveText.Quote(name)} of {record.Length} bytes outside the file or without its local header");
        }

        return (offset, record.Length);
    }

    /// <summary>Start, size and entry count of the central directory.</summary>
    private (long Start, long Size, long Count) FindEnd()
    {
        // The end record is 22 bytes and a comment of up to 65535; its comment length must lead exactly to the file's end.
        int span = (int)Math.Min(_source.Length, 22 + ushort.MaxValue);
        byte[] tail = new byte[span];
        _source.Read(_source.Length - span, tail);
        for (int at = span - 22; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail.AsSpan(at);
            if (BinaryPrimitives.ReadUInt32LittleEndian(end) == 0x06054B50 && BinaryPrimitives.ReadUInt16LittleEndian(end[20..]) == end.Length - 22)
            {
                return Wide(_source.Length - span + at) ?? Checked(
                    BinaryPrimitives.ReadUInt32LittleEndian(end[16..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(end[12..]),
                    BinaryPrimitives.ReadUInt16LittleEndian(end[10..]),
                    _source.Length - span + at);
            }
        }

        throw Fault("has no end record: truncated");
    }

    /// <summary>The 64-bit end record, where a locator in front of the ordinary one points to it.</summary>
    private (long Start, long Size, long Count)? Wide(long endRecord)
    {
        Span<byte> locator = stackalloc byte[20];
        if (endRecord < locator.Length)
        {
            return null;
        }

        _source.Read(endRecord - locator.Length, locator);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != 0x07064B50)
        {
            return null;
        }

        Span<byte> wide = stackalloc byte[56];
        ulong at = BinaryPrimitives.ReadUInt64LittleEndian(locator[8..]);
        if (at > (ulong)endRecord || (long)at > endRecord - wide.Length)
        {
            throw Fault("has its 64-bit end record outside the file");
        }

        _source.Read((long)at, wide);
        if (BinaryPrimitives.ReadUInt32LittleEndian(wide) != 0x06064B50)
        {
            throw Fault("has no 64-bit end record where it should be");
        }

        return Checked(
            BinaryPrimitives.ReadUInt64LittleEndian(wide[48..]),
            BinaryPrimitives.ReadUInt64LittleEndian(wide[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(wide[32..]),
            (long)at);
    }

    private (long Start, long Size, long Count) Checked(ulong start, ulong size, ulong count, long limit)
    {
        if (start > (ulong)limit || size > (ulong)limit - start || count > MaxEntries || count > size / 46 || size > int.MaxValue)
        {
            throw Fault($"claims a directory of {count} entries in {size} bytes at offset {start}, which does not fit");
        }

        return ((long)start, (long)size, (long)count);
    }

    private void ReadRecords((long Start, long Size, long Count) where)
    {
        _dataEnd = where.Start;
        byte[] directory = new byte[(int)where.Size];
        _source.Read(where.Start, directory);
        ReadOnlySpan<byte> rest = directory;
        for (long i = 0; i < where.Count; i++)
        {
            if (rest.Length < 46 || BinaryPrimitives.ReadUInt32LittleEndian(rest) != 0x02014B50)
            {
                throw Fault("has a damaged directory");
            }

            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[28..]);
            int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[30..]);
            int whole = 46 + nameLength + extraLength + BinaryPrimitives.ReadUInt16LittleEndian(rest[32..]);
            if (whole > rest.Length)
            {
                throw Fault("has a damaged directory");
            }

            string name = Encoding.UTF8.GetString(rest.Slice(46, nameLength));
            if (!_records.TryAdd(name, ReadRecord(rest, rest.Slice(46 + nameLength, extraLength))))
            {
                throw Fault($"has the entry {ArchiveText.Quote(name)} twice");
            }

            rest = rest[whole..];
        }
    }

    private Record ReadRecord(ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra)
    {
        ulong packed = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        ulong length = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]);
        ulong offset = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]);
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra);
            int size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4)
            {
                break;
            }

            if (id == 1)
            {
                // Present for exactly those fields that are all ones, in this order.
                ReadOnlySpan<byte> wide = extra.Slice(4, size);
                length = Widen(length, ref wide);
                packed = Widen(packed, ref wide);
                offset = Widen(offset, ref wide);
            }

            extra = extra[(4 + size)..];
        }

        if (packed > (ulong)_source.Length || length > long.MaxValue || offset > (ulong)_source.Length)
        {
            throw Fault("has an entry beyond its own size");
        }

        int flags = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        return new Record(BinaryPrimitives.ReadUInt16LittleEndian(header[10..]), flags, (long)packed, (long)length, (long)offset);
    }

    private static ulong Widen(ulong value, ref ReadOnlySpan<byte> wide)
    {
        if (value != uint.MaxValue || wide.Length < 8)
        {
            return value;
        }

        ulong result = BinaryPrimitives.ReadUInt64LittleEndian(wide);
        wide = wide[8..];
        return result;
    }

    private InputException Fault(string what) => new($"{_source.Path}: the zip archive {what}.");

    private readonly record struct Record(int Method, int Flags, long Packed, long Length, long Header);
}
