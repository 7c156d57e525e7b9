using System.Text;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

public sealed class TensorBoardWriterTests
{
    [Fact]
    public void ChecksumIsCastagnolisMasked()
    {
        // The check value of CRC-32C is 0xe3069283; masked as TFRecord does it.
        Assert.Equal(0xe3069283, Crc32C("123456789"u8));
        uint expected = ((0xe3069283u >> 15) | (0xe3069283u << 17)) + 0xa282ead8u;
        Assert.Equal(expected, TensorBoardWriter.MaskedCrc("123456789"u8));
    }

    [Fact]
    public void ScalarsReadBack()
    {
        using var folder = new TempFolder();
        var clock = new ManualClock();
        string path;
        using (var writer = new TensorBoardWriter(folder.Root, 0, clock))
        {
            path = writer.FilePath;
            clock.Advance(1.5);
            writer.Scalars(300, ("loss/total", 1.25), ("lr", 2e-4));
            writer.Scalars(20000, ("miou/ungesehen-ä", double.NaN));
        }

        Assert.StartsWith("events.out.tfevents.1700000000.", Path.GetFileName(path));
        List<Event> events = ReadAll(path);
        Assert.Equal(3, events.Count);
        Assert.Equal(("brain.Event:2", 1_700_000_000.0), (events[0].Version, events[0].Time));
        Assert.Equal((300, 1_700_000_001.5), (events[1].Step, events[1].Time));
        Assert.Equal([("loss/total", 1.25f), ("lr", 2e-4f)], events[1].Scalars);
        Assert.Equal(20000, events[2].Step);
        Assert.Equal([("miou/ungesehen-ä", float.NaN)], events[2].Scalars);
    }

    [Fact]
    public void AResumedRunTakesLaterPointsBackInANewFile()
    {
        using var folder = new TempFolder();
        using var first = new TensorBoardWriter(folder.Root);
        using var second = new TensorBoardWriter(folder.Root, 40);
        Assert.NotEqual(first.FilePath, second.FilePath);
        List<Event> events = ReadAll(second.FilePath);
        Assert.Equal((41, true), (events[1].Step, events[1].SessionStart));
        Assert.Single(ReadAll(first.FilePath));
    }

    private sealed record Event(double Time, int Step, string Version, bool SessionStart, List<(string Tag, float Value)> Scalars);

    /// <summary>Bit by bit, from the definition.</summary>
    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        return ~crc;
    }

    private static uint Masked(byte[] data)
    {
        uint crc = Crc32C(data);
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u);
    }

    private static List<Event> ReadAll(string path)
    {
        using var reader = new BinaryReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var events = new List<Event>();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            byte[] length = reader.ReadBytes(8);
            Assert.Equal(Masked(length), reader.ReadUInt32());
            byte[] data = reader.ReadBytes((int)BitConverter.ToInt64(length));
            Assert.Equal(Masked(data), reader.ReadUInt32());
            events.Add(ReadEvent(data));
        }

        return events;
    }

    private static Event ReadEvent(byte[] data)
    {
        var found = new Event(0, 0, "", false, []);
        foreach ((int field, object value) in Fields(data))
        {
            found = field switch
            {
                1 => found with { Time = BitConverter.ToDouble((byte[])value) },
                2 => found with { Step = (int)(ulong)value },
                3 => found with { Version = Encoding.UTF8.GetString((byte[])value) },
                7 => found with { SessionStart = Fields((byte[])value).Single() is (1, 1UL) },
                _ => found,
            };
            if (field == 5)
            {
                foreach ((_, object point) in Fields((byte[])value))
                {
                    Dictionary<int, object> parts = Fields((byte[])point).ToDictionary(f => f.Field, f => f.Value);
                    found.Scalars.Add((Encoding.UTF8.GetString((byte[])parts[1]), BitConverter.ToSingle((byte[])parts[2])));
                }
            }
        }

        return found;
    }

    /// <summary>Fields of a protocol buffer: varints as ulong, everything else as bytes.</summary>
    private static List<(int Field, object Value)> Fields(byte[] data)
    {
        var fields = new List<(int, object)>();
        int at = 0;
        while (at < data.Length)
        {
            ulong key = Varint(data, ref at);
            int size = (key & 7) switch { 0 => -1, 1 => 8, 2 => (int)Varint(data, ref at), 5 => 4, _ => throw new InvalidDataException() };
            if (size < 0)
            {
                fields.Add(((int)(key >> 3), Varint(data, ref at)));
                continue;
            }

            fields.Add(((int)(key >> 3), data[at..(at + size)]));
            at += size;
        }

        return fields;
    }

    private static ulong Varint(byte[] data, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = data[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
