using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class SafetensorsWriterTests
{
    [Fact]
    public void RoundTripKeepsEveryTypeShapeAndTheMetadata()
    {
        using var folder = new TempFolder();
        string file = folder.File("a.safetensors");
        float[] floats = [.. Enumerable.Range(0, 150_000).Select(i => MathF.Sin(i) * i * 0.4f)];
        Writer(floats).Save(file);

        using TensorArchive archive = TensorArchive.Open(file);
        Assert.Equal(7, archive.Entries.Count);
        Assert.Equal("é \"quoted\"", archive.Metadata["note"]);
        Assert.Equal([3, 50_000], archive.Entries["f32"].Shape);
        Assert.Equal(floats, archive.ReadFloat32("f32"));
        Assert.Equal(floats.Select(x => HalfConversion.BFloat16ToSingle(HalfConversion.SingleToBFloat16(x))), archive.ReadFloat32("bf16"));
        Assert.Equal(floats.Select(x => (float)(Half)x), archive.ReadFloat32("f16"));
        Assert.Equal([int.MinValue, 7], archive.ReadInt32("i32"));
        Assert.Equal([255f, 3f], archive.ReadFloat32("u8 ü"));
        Assert.Equal([0], archive.Entries["empty"].Shape);
        Assert.Empty(archive.ReadFloat32("empty"));
        InputException tooLarge = Assert.Throws<InputException>(() => archive.ReadInt32("i64"));
        Assert.Contains("5000000000", tooLarge.Message);
        Assert.Equal([1f, 5e9f], archive.ReadFloat32("i64"));
        Assert.Throws<InputException>(() => archive.ReadInt32("f32"));
        Assert.Throws<InputException>(() => archive.ReadFloat32("f32", new float[3]));
        Assert.Contains("'nothing'", Assert.Throws<InputException>(() => archive.ReadFloat32("nothing")).Message);
    }

    [Fact]
    public void TheSameTensorsInAnyOrderGiveTheSameBytesAndAlignedData()
    {
        using var folder = new TempFolder();
        string a = folder.File("a"), b = folder.File("b");
        float[] values = [1, 2, 3];
        var first = new SafetensorsWriter();
        first.AddFloat32("y", [3], values, DType.Float16);
        first.AddFloat32("x", [3, 1], values);
        var second = new SafetensorsWriter();
        second.AddFloat32("x", [3, 1], values);
        second.AddFloat32("y", [3], values, DType.Float16);
        first.Save(a);
        second.Save(b);
        byte[] bytes = File.ReadAllBytes(a);
        Assert.Equal(bytes, File.ReadAllBytes(b));
        Assert.Equal(0, BitConverter.ToInt64(bytes) % 8);
        Assert.Equal(1f, BitConverter.ToSingle(bytes, 8 + (int)BitConverter.ToInt64(bytes)));
    }

    [Fact]
    public void AFailureLeavesTheOldFileAndNothingElse()
    {
        using var folder = new TempFolder();
        string file = folder.File("model.safetensors");
        File.WriteAllText(file, "old");
        var writer = new SafetensorsWriter();
        writer.AddFloat32("x", [100_000], (first, part) =>
        {
            if (first > 0)
            {
                throw new InvalidOperationException("the values are gone");
            }
        });
        Assert.Throws<InvalidOperationException>(() => writer.Save(file));
        Assert.Equal("old", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void AnUnwritablePlaceIsAnInputError()
    {
        using var folder = new TempFolder();
        InputException error = Assert.Throws<InputException>(() => new SafetensorsWriter().Save(Path.Combine(folder.Root, "no", "x")));
        Assert.Contains("cannot be written", error.Message);
        Assert.Contains("got a folder", Assert.Throws<InputException>(() => new SafetensorsWriter().Save(folder.Root)).Message);
    }

    [Fact]
    public void WrongLengthsAndRepeatedNamesAreRefusedWhenAdded()
    {
        var writer = new SafetensorsWriter();
        string message = Assert.Throws<ArgumentException>(() => writer.AddFloat32("x", [2, 2], new float[3])).Message;
        Assert.Contains("tensor 'x' [2, 2]: expected 4 values, got 3", message);
        writer.AddFloat32("x", [2], new float[2]);
        Assert.Throws<ArgumentException>(() => writer.AddInt32("x", [1], new int[1]));
        message = Assert.Throws<ArgumentException>(() => writer.AddInt32("__metadata__", [1], new int[1])).Message;
        Assert.Contains("tensor '__metadata__': expected another name", message);
        message = Assert.Throws<ArgumentException>(() => writer.AddInt32("y", [-1, -1], new int[1])).Message;
        Assert.Contains("tensor 'y' [-1, -1]: expected sizes of at least 0", message);
        message = Assert.Throws<ArgumentException>(() => writer.AddFloat32("y", [-1], (_, _) => { })).Message;
        Assert.Contains("tensor 'y' [-1]: expected sizes of at least 0", message);
    }

    // Infinity is what the caller wanted; a finite number that becomes infinite is not.
    [Fact]
    public void NumbersThatFloat16CannotHoldAreRefusedAndNoFileIsLeft()
    {
        using var folder = new TempFolder();
        string path = folder.File("x.safetensors");
        foreach (float value in (float[])[65520, -1e30f])
        {
            var writer = new SafetensorsWriter();
            float[] values = new float[70_000];
            values[66_000] = value;
            writer.AddFloat32("w", [70_000], values, DType.Float16);
            InputException error = Assert.Throws<InputException>(() => writer.Save(path));
            Assert.Contains("tensor 'w' holds", error.Message);
            Assert.Contains("at element 66000, expected numbers up to 65504", error.Message);
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!));
        }

        var fits = new SafetensorsWriter();
        fits.AddFloat32("w", [3], new[] { 65519f, float.NegativeInfinity, float.NaN }, DType.Float16);
        fits.Save(path);
        using TensorArchive archive = TensorArchive.Open(path);
        Assert.Equal([65504, float.NegativeInfinity, float.NaN], archive.ReadFloat32("w"));
    }

    private static SafetensorsWriter Writer(float[] floats)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("note", "é \"quoted\"");
        writer.AddUInt8("u8 ü", [2], new byte[] { 255, 3 });
        writer.AddFloat32("bf16", [floats.Length], floats, DType.BFloat16);
        writer.AddFloat32("f16", [floats.Length], floats, DType.Float16);
        writer.AddFloat32("f32", [3, 50_000], (first, part) => floats.AsSpan((int)first, part.Length).CopyTo(part));
        writer.AddInt32("i32", [2], new[] { int.MinValue, 7 });
        writer.AddInt64("i64", [2], new[] { 1L, 5_000_000_000L });
        writer.AddFloat32("empty", [0], Array.Empty<float>());
        return writer;
    }
}
