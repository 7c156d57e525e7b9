using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Import;
using Xunit;

namespace Ldvc.Tests.Serialization;

/// <summary>NumPy's .npy files: which forms are read, and what is said about the others.</summary>
public sealed class NpyFileTests : IDisposable
{
    private const string Floats = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

    private static readonly float[] Values = [1, -2, 0.5f, 65504, 0, -0.25f];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("<f2", 1)]
    [InlineData("<f4", 2)]
    [InlineData("<f8", 3)]
    public void FloatsOfEveryWidthAndVersionAreRead(string type, int version)
    {
        byte[] data = [.. Values.SelectMany(
            v => type == "<f2" ? BitConverter.GetBytes((Half)v) : type == "<f4" ? BitConverter.GetBytes(v) : BitConverter.GetBytes((double)v))];
        NpyFile file = Read(NpyBytes.Of($"{{'shape': (2, 3), \"fortran_order\": False, 'descr': '{type}'}}", version, data));
        Assert.Equal([2, 3], file.Shape);
        Assert.Equal(Values, file.Values);
    }

    // What numpy.save writes of a transpose: element (i, j, k) is stored at i + 2 j + 6 k.
    [Fact]
    public void FortranOrderIsTurned()
    {
        float[] stored = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        NpyFile file = Read(
            NpyBytes.Of("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }", 1, [.. stored.SelectMany(BitConverter.GetBytes)]));
        Assert.Equal([2, 3, 4], file.Shape);
        Assert.Equal(
            from i in Enumerable.Range(0, 2) from j in Enumerable.Range(0, 3) from k in Enumerable.Range(0, 4) select i + (2 * j) + (6f * k),
            file.Values);
        Assert.Empty(Read(NpyBytes.Of("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 4), }", 1, [])).Values);
    }

    [Fact]
    public void NumPysOwnFileIsRead()
    {
        NpyFile file = NpyFile.Read(ZegClipMini.Embeddings, 1 << 20);
        Assert.Equal([20, 64], file.Shape);
        Assert.Equal(DType.Float16, file.DType);
        for (int row = 0; row < 20; row++)
        {
            // Not exactly of unit length, which is kept.
            Assert.Equal(1, Math.Sqrt(file.Values.AsSpan(row * 64, 64).ToArray().Sum(v => (double)v * v)), 2e-3);
        }
    }

    [Fact]
    public void ScalarsRowsAndEmptyArraysAreArrays()
    {
        Assert.Equal([], Read(NpyBytes.Of("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 1, BitConverter.GetBytes(3f))).Shape);
        Assert.Equal([1], Read(NpyBytes.Of("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 1, BitConverter.GetBytes(3f))).Shape);
        Assert.Empty(Read(NpyBytes.Of("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", 1, [])).Values);
    }

    [Theory]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "elements of type '>f4', expected '<f2', '<f4' or '<f8'")]
    [InlineData("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", "elements of type '<i4'")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "elements of type '|O'")]
    [InlineData("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "an array of records")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "takes 32 bytes, the file has 24")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "takes 16 bytes, the file has 24")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 3), }", "[99999999999, 3], expected at most")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999999999999), }", "expected at most")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6), }", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1, }", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4' 'fortran_order': False 'shape': (2, 3)}", "is not that of a NumPy array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } x", "is not that of a NumPy array")]
    [InlineData("__import__('os').system('true')", "is not that of a NumPy array")]
    [InlineData("{'descr': '", "is not that of a NumPy array")]
    [InlineData("", "is not that of a NumPy array")]
    public void OtherHeadersAreRefused(string header, string expected) => Refuses(NpyBytes.Of(header, 1, new byte[24]), expected);

    [Fact]
    public void OtherFilesAreRefused()
    {
        byte[] good = NpyBytes.Of(Floats, 1, new byte[24]);
        Assert.Equal(6, Read(good).Values.Length);
        Refuses([], "found an empty file");
        Refuses("PK\x03\x04 not an array at all"u8.ToArray(), "found a file of another kind");
        Refuses(good[..8], "found a file of another kind");
        Refuses(good[..30], "cut short");
        Refuses(good[..^1], "takes 24 bytes, the file has 23");
        Refuses(NpyBytes.Of(Floats, 4, new byte[24]), "version 4");
        byte[] long1 = NpyBytes.Of(Floats, 2, new byte[24]);
        BitConverter.GetBytes(int.MaxValue).CopyTo(long1, 8);
        Refuses(long1, "the header claims 2147483647 bytes");
        Assert.Contains("no such file", Assert.Throws<InputException>(() => NpyFile.Read(_folder.File("none.npy"), 10)).Message);
    }

    private NpyFile Read(byte[] content)
    {
        string path = _folder.File("a.npy");
        File.WriteAllBytes(path, content);
        return NpyFile.Read(path, 1 << 20);
    }

    private void Refuses(byte[] content, string expected)
    {
        string message = Assert.Throws<InputException>(() => Read(content)).Message;
        Assert.StartsWith(_folder.File("a.npy"), message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }
}
