using Ldvc.Autograd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Tensors;

public sealed class TensorPrintingTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void FloatsHaveFourDigitsInColumns() => Check(
        [0.5f, -10.25f, float.NaN, float.PositiveInfinity, 2, float.NegativeInfinity],
        [2, 3],
        "Float32 [2, 3] on cpu",
        "[[  0.5000, -10.2500,      nan],",
        " [     inf,   2.0000,     -inf]]");

    [Fact]
    public void WholeNumbersEndInAPoint() => Check([1, -20, 0], [3], "Float32 [3] on cpu", "[  1., -20.,   0.]");

    [Fact]
    public void WideRangesArePowersOfTen() => Check([1e-6f, 2.5f, -1000], [3], "Float32 [3] on cpu", "[ 1.0000e-06,  2.5000e+00, -1.0000e+03]");

    [Fact]
    public void MatricesAreSetApart() => Check(
        [1, 2, 3, 4], [2, 1, 2], "Float32 [2, 1, 2] on cpu", "[[[1., 2.]],", "", " [[3., 4.]]]");

    [Fact]
    public void ScalarsAndEmptyTensorsHaveATextToo()
    {
        Check([2.5f], [], "Float32 [] on cpu", "2.5000");
        Check([], [0], "Float32 [0] on cpu", "[]");
        Check([], [2, 0], "Float32 [2, 0] on cpu", "[[],", " []]");
        Check([float.NaN], [1], "Float32 [1] on cpu", "[nan]");
    }

    [Fact]
    public void OtherTypesShowTheirValues()
    {
        using var ints = _device.FromHost([7, -123], new Shape(2));
        Assert.Equal(Lines("Int32 [2] on cpu", "[   7, -123]"), ints.ToValueString());
        using var bytes = _device.FromHost(new byte[] { 0, 255 }, new Shape(2, 1));
        Assert.Equal(Lines("UInt8 [2, 1] on cpu", "[[  0],", " [255]]"), bytes.ToValueString());
        using var large = _device.Empty(new Shape(2), DType.Int64);
        large.CopyFromHost<long>([9007199254740993, -1]);
        Assert.Equal(Lines("Int64 [2] on cpu", "[9007199254740993,               -1]"), large.ToValueString());
        using var rounded = _device.FromHostRounded([1.5f, -0.25f], new Shape(2));
        Assert.Equal(Lines("BFloat16 [2] on cpu", "[ 1.5000, -0.2500]"), rounded.ToValueString());
    }

    [Fact]
    public void LongTensorsAreCutAndSmallOnesWrapped()
    {
        using var matrix = _device.FromHost([.. Enumerable.Range(0, 1001).Select(i => (float)i)], new Shape(143, 7));
        Assert.Equal(
            Lines(
                "Float32 [143, 7] on cpu",
                "[[   0.,    1.,    2., ...,    4.,    5.,    6.],",
                " [   7.,    8.,    9., ...,   11.,   12.,   13.],",
                " [  14.,   15.,   16., ...,   18.,   19.,   20.],",
                " ...,",
                " [ 980.,  981.,  982., ...,  984.,  985.,  986.],",
                " [ 987.,  988.,  989., ...,  991.,  992.,  993.],",
                " [ 994.,  995.,  996., ...,  998.,  999., 1000.]]"),
            matrix.ToValueString());
        using var row = _device.FromHost([.. Enumerable.Range(0, 50).Select(i => i + 0.5f)], new Shape(50));
        string[] lines = row.ToValueString().Split('\n');
        Assert.True(lines.Length > 3 && lines.All(line => line.Length <= 101));
        Assert.Equal(50, string.Concat(lines[1..]).Split(',').Length);
        Assert.Equal(Lines("Float32 [50] on cpu", "[ 0.5,  1.5,  2.5, ..., 47.5, 48.5, 49.5]"), row.ToValueString(digits: 1, maxElements: 10));
    }

    [Fact]
    public void VariablesAndWritersWork()
    {
        using var tape = new Tape(_device, recording: false);
        var x = tape.Constant(_device.FromHost([1f], new Shape(1)));
        using var writer = new StringWriter();
        x.Print(writer);
        x.Value.Print(writer);
        string once = Lines("Float32 [1] on cpu", "[1.]");
        Assert.Equal(once, x.ToValueString());
        Assert.Equal(Lines(once, once, ""), writer.ToString());
        Assert.Equal("Float32 [1] on cpu", x.Value.ToString());
    }

    public void Dispose() => _device.Dispose();

    private static string Lines(params string[] lines) => string.Join('\n', lines);

    private void Check(float[] values, int[] sizes, params string[] expected)
    {
        using var tensor = _device.FromHost(values, new Shape(sizes));
        Assert.Equal(Lines(expected), tensor.ToValueString());
    }
}
