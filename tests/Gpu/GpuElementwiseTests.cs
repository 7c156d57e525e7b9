using Ldvc.Kernels;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClElementwiseTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1023, 0)]
    [InlineData(100_003, 0)]
    [InlineData(4096, 1)]
    public void Elements(int count, int shift) => ElementwiseCases.Elements(fixture.Twin, count, shift);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 33)]
    [InlineData(4100, 770)]
    public void ColumnSums(int rows, int columns) => ElementwiseCases.ColumnSums(fixture.Twin, rows, columns);

    [Theory]
    [InlineData(2, 15, 512)]
    [InlineData(3, 5, 7)]
    public void Relationship(int batch, int classes, int width) => ElementwiseCases.Relationship(fixture.Twin, batch, classes, width);
}

[Collection("simulator")]
public class SimulatorElementwiseTests(SimulatorFixture fixture)
{
    [Fact]
    public void Elements() => ElementwiseCases.Elements(fixture.Twin, 67, 0);

    [Fact]
    public void ColumnSums() => ElementwiseCases.ColumnSums(fixture.Twin, 130, 5);

    [Fact]
    public void Relationship() => ElementwiseCases.Relationship(fixture.Twin, 2, 3, 5);
}

internal static class ElementwiseCases
{
    /// <summary>`shift` moves the tensors off the addresses that vector loads need.</summary>
    internal static void Elements(Twin twin, int count, int shift)
    {
        foreach (bool add in new[] { false, true })
        {
            twin.Check(2e-6, bench =>
            {
                View a = bench.Normal(new Shape(count + shift)).View.Shift(shift), b = bench.Normal(new Shape(count + shift), 3).View.Shift(shift);
                var outputs = Enumerable.Range(0, 8).Select(_ => bench.Normal(new Shape(count + shift))).ToArray();
                View Y(int i) => outputs[i].View.Shift(shift);
                var kernels = bench.Kernels.Elementwise;
                kernels.Add(a, b, Y(0), count);
                kernels.Scale(a, 0.7f, Y(1), add, count);
                kernels.Binary<Multiply>(a, b, Y(2), add, BroadcastLayout.Dense(count));
                kernels.Unary<QuickGelu>(b, Y(3), count);
                kernels.ActivateBackward(b, a, Y(4), Activation.QuickGelu, add, count);
                kernels.ActivateBackward(b, a, Y(5), Activation.Relu, add, count);
                kernels.Dropout(a, Y(6), 0.1f, 0x1234567890ABCDEFUL, add, count);

                // A part of a larger mask: its places cross 2^32.
                kernels.Dropout(a, Y(7), 0.1f, 0x1234567890ABCDEFUL, add, count, uint.MaxValue - (count / 2));
                return outputs;
            });
        }
    }

    internal static void ColumnSums(Twin twin, int rows, int columns) => twin.Check(3e-6, bench =>
    {
        var sums = bench.Normal(new Shape(columns));
        bench.Kernels.Elementwise.ColumnSums(bench.Normal(new Shape(rows, columns)), sums, rows, columns);
        return [sums];
    });

    internal static void Relationship(Twin twin, int batch, int classes, int width) => twin.Check(2e-6, bench =>
    {
        Tensor t = bench.Normal(new Shape(classes, width)), g = bench.Normal(new Shape(batch, width)), dy = bench.Normal(
            new Shape(batch, classes, 2 * width));
        Tensor y = bench.Output(batch, classes, 2 * width), dt = bench.Normal(new Shape(classes, width)), dg = bench.Normal(new Shape(batch, width));
        bench.Kernels.Elementwise.Relationship(t, g, y, batch, classes, width);
        bench.Kernels.Elementwise.RelationshipBackward(t, g, dy, dt, dg, batch, classes, width);
        return [y, dt, dg];
    });
}
