using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Matlab;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Imaging;

/// <summary>
/// Masks in MATLAB files: those of tests/data/matlab are SciPy's (tools/make_matlab_masks.py), the others <see cref="MatWriter"/>'s.
/// </summary>
public sealed class MatLabelsTests
{
    private const int Rows = 5, Columns = 7;

    [Theory]
    [InlineData("sbd", 20, true)]
    [InlineData("context", 459, false)]
    [InlineData("coco-stuff10k", 182, false)]
    [InlineData("one-double", 300, false)]
    public void FilesOfDataSetsHaveTheirLabels(string name, int most, bool isOfBytes)
    {
        LabelMap16 labels = LabelFile.Read(Data(name));
        Assert.Equal((Columns, Rows), (labels.Width, labels.Height));
        IEnumerable<int> expected = Enumerable.Range(0, Rows * Columns).Select(i => ((31 * (i / Columns)) + (7 * (i % Columns))) % (most + 1));
        Assert.Equal(expected, labels.Labels.Select(label => (int)label));
        Assert.Equal(isOfBytes, labels.IsOfBytes);
    }

    [Theory]
    [InlineData("sbd-objects", "found 'GTinst' (1x1 struct) (SBD's numbers of objects; those of classes lie in cls)")]
    [InlineData("two", "expected one matrix of labels, or one called GTcls.Segmentation, LabelMap or S, found 'a' (5x7 uint8), 'b' (5x7 uint8)")]
    [InlineData("version4", "expected a MATLAB file of version 5 to 7.2, as save(FILE, 'X', '-v7') or scipy.io.savemat writes it, found another")]
    public void OtherFilesAreRefused(string name, string reason)
    {
        string message = Assert.Throws<InputException>(() => LabelFile.Read(Data(name))).Message;
        Assert.StartsWith(Data(name), message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    // MATLAB stores numbers in the smallest type that holds them, whatever the array's kind.
    [Fact]
    public void EveryTypeOfNumbersInEveryOrderOfBytes()
    {
        var random = new Random(3);
        foreach (MatType type in Enum.GetValues<MatType>().Where(type => type < MatType.Matrix))
        {
            double most = type switch { MatType.Int8 => 127, MatType.UInt8 => 255, MatType.Int16 => short.MaxValue, _ => ushort.MaxValue };
            foreach (bool bigEndian in new[] { false, true })
            {
                foreach ((int rows, int columns) in new[] { (1, 1), (1, 3), (3, 1), (6, 11), (130, 129) })
                {
                    double[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => Math.Round(random.NextDouble() * most))];
                    var writer = new MatWriter(bigEndian);
                    byte[] array = writer.Matrix("x", MatKind.Double, type, rows, columns, values);
                    byte[] file = writer.Add(array, compressed: rows > 3).File();
                    LabelMap16 labels = MatLabels.Decode(file, "x.mat");
                    Assert.Equal((columns, rows), (labels.Width, labels.Height));
                    for (int i = 0; i < values.Length; i++)
                    {
                        Assert.Equal(values[i], labels.Labels[(i % rows * columns) + (i / rows)]);
                    }
                }
            }
        }
    }

    [Fact]
    public void TheKnownNameIsTakenAmongOthersAndWhatIsNoMatrixIsPassedOver()
    {
        var writer = new MatWriter();
        byte[] file = writer
            .Add(writer.Matrix("other", MatKind.UInt8, MatType.UInt8, 1, 2, [8, 9]))
            .Add(writer.Matrix("LabelMap", MatKind.Double, MatType.UInt8, 2, 1, [3, 4]), compressed: true)
            .Add(writer.Matrix("", MatKind.UInt8, MatType.UInt8, 1, 1, [1]))
            .File();
        Assert.Equal([3, 4], MatLabels.Decode(file, "x").Labels);
        byte[] regions = writer.Matrix("S", MatKind.UInt8, MatType.UInt8, 1, 1, [9]);
        file = new MatWriter().Add(regions).Add(writer.Matrix("LabelMap", MatKind.UInt8, MatType.UInt8, 2, 1, [3, 4])).File();
        Assert.Equal([3, 4], MatLabels.Decode(file, "x").Labels);

        var one = new MatWriter();
        file = one
            .Add(one.Matrix("text", MatKind.Char, MatType.UInt16, 1, 2, [70, 71]))
            .Add(one.Matrix("", MatKind.UInt8, MatType.UInt8, 1, 3, [1, 2, 3]))
            .Add(one.Matrix("complex", MatKind.Double, MatType.UInt8, 1, 1, [1], flags: 0x800))
            .Add(one.Struct("s", ("Segmentation", one.Matrix("", MatKind.UInt8, MatType.UInt8, 1, 1, [7]))))
            .Add(one.Matrix("f", (MatKind)16, MatType.UInt8, 1, 1, [1]))
            .Add(one.Matrix("labels", MatKind.UInt8, MatType.UInt8, 1, 2, [1, 255], flags: 0x200))
            .File();
        Assert.Equal([1, 255], MatLabels.Decode(file, "x").Labels);
    }

    [Theory]
    [InlineData(1.5, "label value 1.5 at column 1, row 0, expected whole numbers from 0 to 65535")]
    [InlineData(-1, "label value -1 at column 1, row 0")]
    [InlineData(65536, "label value 65536 at column 1, row 0")]
    [InlineData(double.NaN, "label value NaN at column 1, row 0")]
    [InlineData(double.PositiveInfinity, "label value Infinity at column 1, row 0")]
    public void NumbersThatAreNoLabelsAreRefused(double value, string reason)
    {
        var writer = new MatWriter();
        byte[] file = writer.Add(writer.Matrix("x", MatKind.Double, MatType.Double, 2, 2, [0, 65535, value, 1])).File();
        Assert.Equal("x.mat: " + reason, Assert.Throws<InputException>(() => MatLabels.Decode(file, "x.mat")).Message[..(7 + reason.Length)]);
    }

    [Fact]
    public void WhatIsWrongIsSaid()
    {
        var writer = new MatWriter();
        byte[] labels = writer.Matrix("", MatKind.UInt8, MatType.UInt8, 1, 1, [7]);
        byte[] Only(byte[] array) => new MatWriter().Add(array, compressed: true).File();
        void Refused(byte[] file, string reason) =>
            Assert.Contains(reason, Assert.Throws<InputException>(() => MatLabels.Decode(file, "x.mat")).Message, StringComparison.Ordinal);

        Refused(new MatWriter().File(), "expected one matrix of labels, or one called GTcls.Segmentation, LabelMap or S, found none");
        Refused(Only(writer.Struct("GTcls", ("Other", labels))), "expected a field Segmentation in GTcls, found none");
        Refused(Only(writer.Struct("GTcls", ("Segmentation", writer.Struct("")))), "a matrix of labels in GTcls.Segmentation, found (1x1 struct)");
        Refused(Only(writer.Matrix("x", MatKind.UInt8, MatType.UInt8, 2, 2, [1, 2, 3])), "expected 4 numbers of 2x2 pixels, found 3 bytes");
        Refused(Only(writer.Matrix("x", MatKind.UInt8, MatType.UInt8, 0, 2, [])), "2x0 pixels");
        Refused(Only(writer.Matrix("x", MatKind.UInt8, MatType.UInt8, 1 << 15, 1 << 15, [1])), "32768x32768 pixels, expected");
        Refused([0x89, .. "HDF\r\n"u8, .. new byte[600]], "found an HDF5 file");
        Refused([], "is empty, expected a MATLAB file");

        // SUN RGB-D's seg.mat: numbers of one picture's own list.
        byte[] seglabel = writer.Matrix("seglabel", MatKind.UInt16, MatType.UInt8, 1, 1, [1]);
        byte[] name = writer.Matrix("", MatKind.Char, MatType.UInt16, 1, 1, [70]);
        Refused(new MatWriter().Add(writer.Cells("names", name, name)).Add(seglabel).File(), "a number is another class in each picture");
        Assert.Equal([1], MatLabels.Decode(new MatWriter().Add(seglabel).File(), "x").Labels);
        Refused([.. "MATLAB 7.3 MAT-file, Platform"u8, .. new byte[600]], "version 7.3 (HDF5), expected one of version 7 or older");
        Assert.Equal([7], MatLabels.Decode(Only(writer.Struct("GTcls", ("Other", labels), ("Segmentation", labels))), "x").Labels);
    }

    [Fact]
    public void NoTruncationAndNoFlippedBitOfCompressedLabelsChangesThem()
    {
        byte[] file = File.ReadAllBytes(Data("sbd"));
        ushort[] expected = MatLabels.Decode(file, "whole").Labels;
        for (int length = 0; length < file.Length; length++)
        {
            Assert.Throws<InputException>(() => MatLabels.Decode(file[..length], "cut"));
        }

        // The header's text and what few programs fill mean nothing, nor do some bits of what is compressed.
        int taken = 0;
        for (int i = 8 * 124; i < 8 * file.Length; i++)
        {
            byte[] copy = (byte[])file.Clone();
            copy[i / 8] ^= (byte)(1 << (i % 8));
            try
            {
                Assert.Equal(expected, MatLabels.Decode(copy, "flipped").Labels);
                taken++;
            }
            catch (InputException)
            {
                // Refused.
            }
        }

        Assert.InRange(taken, 0, 80);
    }

    [Fact]
    public void ArraysWithoutANameCountAmongTheVariables()
    {
        var writer = new MatWriter();
        byte[] unnamed = writer.Zeros(1, 1);
        for (int i = 0; i < 4096; i++)
        {
            writer.Add(unnamed);
        }

        Assert.Contains("found none", Assert.Throws<InputException>(() => MatLabels.Decode(writer.File(), "x")).Message, StringComparison.Ordinal);
        byte[] more = writer.Add(unnamed).File();
        string message = Assert.Throws<InputException>(() => MatLabels.Decode(more, "x")).Message;
        Assert.Equal("x: expected at most 4096 variables, found more", message);
    }

    // A hundred kilobytes that unfold to a hundred megabytes before the labels come.
    [Fact]
    public void WhatUnfoldsToMuchIsPassedOverInLittleMemory()
    {
        var writer = new MatWriter();
        byte[] labels = writer.Matrix("", MatKind.UInt8, MatType.UInt8, 1, 1, [7]);
        byte[] much = writer.Zeros(1, 100_000_000);
        byte[] file = new MatWriter().Add(writer.Struct("GTcls", ("Boundaries", much), ("Segmentation", labels)), compressed: true).File();
        Assert.InRange(file.Length, 1, 200_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([7], MatLabels.Decode(file, "x").Labels);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static string Data(string name) => Path.Combine(AppContext.BaseDirectory, "data", "matlab", name + ".mat");
}
