using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// Writes scalars as TensorBoard reads them: a file of TFRecords (length, masked CRC32C of the length, data, masked CRC32C of the data), each an
/// Event protocol buffer, encoded by hand because three field types are all it takes.
/// </summary>
internal sealed class TensorBoardWriter : IDisposable
{
    // Field numbers of tensorflow.Event, Summary, Summary.Value and SessionLog.
    private const int EventWallTime = 1;
    private const int EventStep = 2;
    private const int EventFileVersion = 3;
    private const int EventSummary = 5;
    private const int EventSessionLog = 7;
    private const int SummaryValue = 1;
    private const int ValueTag = 1;
    private const int ValueSimple = 2;
    private const int SessionStatus = 1;
    private const int SessionStart = 1;

    private static int s_files;

    private readonly Stream _file;
    private readonly TimeProvider _clock;

    /// <summary>Starts a new event file in a folder, which must exist.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="resumedStep">Steps done before; TensorBoard drops what earlier files say about later steps. 0 for a fresh run.</param>
    /// <param name="clock">The time of events.</param>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public TensorBoardWriter(string folder, int resumedStep = 0, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        string unique = $"{Environment.ProcessId}.{Interlocked.Increment(ref s_files)}";
        FilePath = Path.Combine(folder, $"events.out.tfevents.{_clock.GetUtcNow().ToUnixTimeSeconds():D10}.ldvc.{unique}");
        try
        {
            _file = OutputFile.Replace(FilePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{FilePath}: cannot be written ({e.Message})", e);
        }

        WriteEvent(0, message => WriteBytes(message, EventFileVersion, "brain.Event:2"u8));
        if (resumedStep > 0)
        {
            var log = new MemoryStream();
            WriteVarint(log, SessionStatus << 3);
            WriteVarint(log, SessionStart);
            WriteEvent(resumedStep + 1, message => WriteBytes(message, EventSessionLog, log.ToArray()));
        }
    }

    /// <summary>The event file.</summary>
    public string FilePath { get; }

    /// <summary>Adds one point to each of the named curves.</summary>
    /// <exception cref="InputException">The disk is full or gone.</exception>
    public void Scalars(int step, params ReadOnlySpan<(string Tag, double Value)> values)
    {
        var summary = new MemoryStream();
        Span<byte> bits = stackalloc byte[4];
        foreach ((string tag, double value) in values)
        {
            var point = new MemoryStream();
            WriteBytes(point, ValueTag, Encoding.UTF8.GetBytes(tag));
            WriteVarint(point, (ValueSimple << 3) | 5);
            BinaryPrimitives.WriteSingleLittleEndian(bits, (float)value);
            point.Write(bits);
            WriteBytes(summary, SummaryValue, point.ToArray());
        }

        WriteEvent(step, message => WriteBytes(message, EventSummary, summary.ToArray()));
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>CRC32C (Castagnoli), rotated and offset as TFRecord wants it, so that a checksum of data with checksums stays useful.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        return BitOperations.RotateRight(Crc32C.Of(data), 15) + 0xa282ead8;
    }

    private static void WriteVarint(Stream message, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            message.WriteByte((byte)(value | 0x80));
        }

        message.WriteByte((byte)value);
    }

    private static void WriteBytes(Stream message, int field, ReadOnlySpan<byte> bytes)
    {
        WriteVarint(message, ((ulong)field << 3) | 2);
        WriteVarint(message, (ulong)bytes.Length);
        message.Write(bytes);
    }

    private void WriteEvent(int step, Action<MemoryStream> writeContent)
    {
        var message = new MemoryStream();
        Span<byte> bits = stackalloc byte[8];
        WriteVarint(message, (EventWallTime << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(bits, _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        message.Write(bits);
        WriteVarint(message, EventStep << 3);
        WriteVarint(message, (ulong)step);
        writeContent(message);

        byte[] record = new byte[16 + message.Length];
        BinaryPrimitives.WriteInt64LittleEndian(record, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        message.ToArray().CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - 4), MaskedCrc(record.AsSpan(12, (int)message.Length)));
        long before = _file.Position;
        try
        {
            _file.Write(record);
            _file.Flush();
        }
        catch (IOException e)
        {
            OutputFile.TakeBack(_file, before);
            throw new InputException($"{FilePath}: cannot be written ({e.Message})", e);
        }
    }
}
