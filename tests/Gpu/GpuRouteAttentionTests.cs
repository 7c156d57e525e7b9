using Ldvc.Kernels.Attention;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClRouteAttentionTests(OpenClFixture fixture)
{
    [Theory]
    // batch, heads, head dimension, grid height, grid width, S, topK
    [InlineData(2, 2, 16, 8, 8, 4, 3)]
    [InlineData(1, 2, 64, 16, 16, 4, 5)]
    [InlineData(2, 2, 13, 7, 10, 3, 4)]
    [InlineData(1, 2, 8, 5, 4, 8, 6)]
    [InlineData(1, 2, 8, 6, 9, 3, 100)]
    [InlineData(1, 1, 24, 15, 13, 1, 1)]
    [InlineData(1, 2, 70, 22, 21, 2, 3)]
    [InlineData(2, 1, 8, 1, 37, 5, 2)]
    // More windows than affinities in shared memory.
    [InlineData(1, 1, 8, 24, 24, 24, 5)]
    // The decoder at 512.
    [InlineData(2, 8, 64, 32, 32, 8, 16)]
    public void TableForwardAndBackward(int batch, int heads, int headDim, int height, int width, int s, int topK) =>
        RouteAttentionCases.Run(fixture.Twin, new RouteSizes(batch, heads, headDim, height, width, s, topK, 1f / MathF.Sqrt(headDim)));

    [Fact]
    public void TiesGoToTheLowerIndexAndNanLoses()
    {
        // Keys of windows 1, 3, 4 and of 0, 5 are equal; window 2's are NaN.
        var sizes = new RouteSizes(1, 1, 4, 2, 3, 3, 4, 1f);
        var device = fixture.Twin.Device;
        float[] keys = [1f, 2f, float.NaN, 2f, 2f, 1f], ones = new float[24];
        Array.Fill(ones, 1f);
        using var q = device.FromHost(ones, new Shape(6, 4));
        using var k = device.FromHost([.. Enumerable.Range(0, 24).Select(i => keys[i / 4])], new Shape(6, 4));
        using var table = device.Empty(new Shape(6, 4), DType.Int32);
        using var scratch = device.Empty(new Shape(2, 6, 4));
        KernelSet.For(device).RouteAttention.Route(sizes, new TokenRows(q, 24, 4), new TokenRows(k, 24, 4), table, scratch);
        int[] chosen = table.ToArray<int>();
        for (int window = 0; window < 6; window++)
        {
            Assert.Equal([1, 3, 4, 0], chosen[(window * 4)..((window * 4) + 4)]);
        }
    }
}

[Collection("simulator")]
public class SimulatorRouteAttentionTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(1, 1, 8, 4, 6, 2, 2)]
    [InlineData(1, 1, 6, 5, 7, 1, 1)]
    public void TableForwardAndBackward(int batch, int heads, int headDim, int height, int width, int s, int topK) =>
        RouteAttentionCases.Run(fixture.Twin, new RouteSizes(batch, heads, headDim, height, width, s, topK, 1f / MathF.Sqrt(headDim)));
}

internal static class RouteAttentionCases
{
    internal static void Run(Twin twin, RouteSizes s) => twin.Check(5e-6, bench =>
    {
        int width = s.Heads * s.HeadDim, tokens = s.Tokens;
        Tensor x = bench.Normal(new Shape(s.Batch, tokens, 3 * width)), dx = bench.Output(s.Batch, tokens, 3 * width);
        Tensor o = bench.Output(s.Batch, tokens, width), dOut = bench.Normal(new Shape(s.Batch, tokens, width));
        Tensor logSumExp = bench.Output(s.Batch, s.Heads, tokens), scratch = bench.Output(
            Math.Max(2 * s.Batch * s.Windows * width, s.Batch * s.Heads * tokens));
        Tensor table = bench.Integers(new Shape(s.Batch, s.Windows, s.TopK), 9), offsets = bench.Integers(new Shape(s.Batch, s.Windows + 1), 9);
        var list = bench.Integers(new Shape(s.Batch, s.Windows * s.TopK), 9);
        TokenRows Block(Tensor t, int part) => new(t.View.Shift(part * width), (long)tokens * 3 * width, 3 * width);
        TokenRows Rows(Tensor t) => new(t.View, (long)tokens * width, width);
        var kernels = bench.Kernels.RouteAttention;
        kernels.Route(s, Block(x, 0), Block(x, 1), table, scratch);
        kernels.Invert(s, table, offsets, list);
        kernels.Forward(s, table, Block(x, 0), Block(x, 1), Block(x, 2), Rows(o), logSumExp);
        kernels.Backward(
            s,
            table,
            offsets,
            list,
            Block(x, 0),
            Block(x, 1),
            Block(x, 2),
            Rows(o),
            logSumExp,
            Rows(dOut),
            Block(dx, 0),
            Block(dx, 1),
            Block(dx, 2),
            scratch);
        return [table, offsets, list, o, logSumExp, dx];
    });
}
