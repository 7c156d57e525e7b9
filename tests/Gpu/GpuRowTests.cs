using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClRowTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(63, 64)]
    [InlineData(1300, 768)]
    [InlineData(300, 513)]
    public void Normalization(int rows, int columns) => RowCases.Normalization(fixture.Twin, rows, columns);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 5)]
    [InlineData(300, 151)]
    [InlineData(64, 2048)]
    public void CrossEntropy(int rows, int columns) => RowCases.CrossEntropy(fixture.Twin, rows, columns);

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(1_000_003)]
    public void Reduction(int count) => RowCases.Reduction(fixture.Twin, count);

    [Fact]
    public void ReductionsSeeWhatIsNotFinite() => RowCases.NotFinite(fixture.Twin);

    [Fact]
    public void GradientsOfShortRowsAreScaledByAConstant() => ShortRowTests.Check(fixture.Twin.Device);

    [Theory]
    [InlineData(3, 5)]
    [InlineData(50, 512)]
    public void Tokens(int rows, int columns) => RowCases.Tokens(fixture.Twin, rows, columns);

    [Theory]
    [InlineData(2, 32, 48, 16)]
    [InlineData(1, 21, 14, 7)]
    public void Patchify(int batch, int height, int width, int patch) => RowCases.Patchify(fixture.Twin, batch, height, width, patch);
}

[Collection("simulator")]
public class SimulatorRowTests(SimulatorFixture fixture)
{
    [Fact]
    public void Normalization() => RowCases.Normalization(fixture.Twin, 3, 36);

    [Fact]
    public void CrossEntropy() => RowCases.CrossEntropy(fixture.Twin, 3, 40);

    [Fact]
    public void Reduction() => RowCases.Reduction(fixture.Twin, 100);

    [Fact]
    public void Tokens() => RowCases.Tokens(fixture.Twin, 3, 8);

    [Fact]
    public void Patchify() => RowCases.Patchify(fixture.Twin, 1, 8, 8, 4);
}

internal static class RowCases
{
    internal static void Normalization(Twin twin, int rows, int columns)
    {
        foreach (bool add in new[] { false, true })
        {
            twin.Check(5e-6, bench =>
            {
                var kernels = bench.Kernels.Normalization;
                var shape = new Shape(rows, columns);
                Tensor x = bench.Normal(shape), gamma = bench.Normal(new Shape(columns)), beta = bench.Normal(new Shape(columns)),
                    dy = bench.Normal(shape);
                Tensor y = bench.Output(rows, columns), mean = bench.Output(rows), rstd = bench.Output(rows);
                Tensor dx = bench.Normal(shape), dgamma = bench.Normal(new Shape(columns)), dbeta = bench.Normal(new Shape(columns));
                kernels.LayerNorm(x, gamma, beta, y, mean, rstd, rows, columns, 1e-5f);
                kernels.LayerNormBackward(x, gamma, mean, rstd, dy, dx, add, dgamma, add ? dbeta : default, rows, columns);
                Tensor unit = bench.Output(rows, columns), inverse = bench.Output(rows), dunit = bench.Normal(shape);
                kernels.L2Normalize(x, unit, inverse, rows, columns);
                kernels.L2NormalizeBackward(unit, inverse, dy, dunit, add, rows, columns);

                // One column has no variance: rstd and what follows from it are rounding noise around 1 / sqrt(epsilon).
                return columns == 1 ? [unit, inverse, dunit, mean] : [y, mean, rstd, dx, dgamma, dbeta, unit, inverse, dunit];
            });
        }
    }

    internal static void CrossEntropy(Twin twin, int rows, int columns)
    {
        foreach (bool add in new[] { false, true })
        {
            twin.Check(5e-6, bench =>
            {
                Tensor logits = bench.Normal(new Shape(rows, columns), 6), targets = bench.Integers(new Shape(rows), columns);
                Tensor logSum = bench.Output(rows + 1), loss = bench.Output(1), d = bench.Normal(new Shape(rows, columns), 0.1);
                bench.Kernels.CrossEntropy.Forward(logits, targets, logSum, loss, rows, columns, -100);
                bench.Kernels.CrossEntropy.Backward(logits, targets, logSum, bench.Normal(new Shape(1)), d, add, rows, columns, -100);
                return [logSum, loss, d];
            });
        }
    }

    internal static void Reduction(Twin twin, int count) => twin.Check(1e-6, bench =>
    {
        var x = bench.Normal(new Shape(count), 3);
        var kernels = bench.Kernels.Reduction;
        Assert.True(kernels.AllFinite(x, count));
        return [bench.Scalars((float)kernels.Sum(x, count)), bench.Scalars((float)kernels.SumOfSquares(x, count)),
            bench.Scalars(kernels.MaxAbs(x, count))];
    });

    internal static void NotFinite(Twin twin) => twin.Check(0, bench =>
    {
        var kernels = bench.Kernels.Reduction;
        var results = new List<float>();
        foreach (float bad in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            float[] values = new float[5000];
            values[4321] = bad;
            values[17] = 3;
            var x = bench.Scalars(values);
            results.Add(kernels.AllFinite(x, 5000) ? 1 : 0);
            results.Add(float.IsNaN(kernels.MaxAbs(x, 5000)) ? -1 : kernels.MaxAbs(x, 5000));
        }

        Assert.Equal([0, -1, 0, -1, 0, float.PositiveInfinity, 0, float.PositiveInfinity], results);
        return [];
    });

    internal static void Tokens(Twin twin, int rows, int columns) => twin.Check(2e-6, bench =>
    {
        var kernels = bench.Kernels.Tokens;
        Tensor source = bench.Normal(new Shape(2, rows, columns)), copied = bench.Output(2, rows + 1, columns), added = bench.Normal(
            new Shape(2, rows + 1, columns));
        long from = (long)rows * columns, to = (long)(rows + 1) * columns;
        kernels.CopyBlocks(source, from, copied.View.Shift(columns), to, 2, from, false);
        kernels.CopyBlocks(source, 0, copied, to, 2, columns, false);
        kernels.CopyBlocks(source, from, added.View.Shift(columns), to, 2, from, true);
        var sum = bench.Normal(new Shape(rows, columns));
        kernels.SumBlocks(source, from, sum, 2, from);
        Tensor table = bench.Normal(new Shape(6, columns)), indices = bench.Integers(new Shape(rows), 6), gathered = bench.Output(rows, columns);
        kernels.Gather(table, indices, gathered, rows, columns);
        kernels.ScatterAdd(source, indices, table, rows, columns);
        return [copied, added, sum, gathered, table];
    });

    internal static void Patchify(Twin twin, int batch, int height, int width, int patch) => twin.Check(0, bench =>
    {
        var patches = bench.Output(batch, height / patch * (width / patch), 3 * patch * patch);
        bench.Kernels.Tokens.Patchify(bench.Normal(new Shape(batch, 3, height, width)), patches, batch, 3, height, width, patch);
        return [patches];
    });
}
