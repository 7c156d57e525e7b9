using Ldvc.Kernels.Attention;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.RouteAttention.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public sealed class RouteAttentionTests : IDisposable
{
    private readonly int _bits = SimdLevel.Bits;

    public static TheoryData<int, int, int, int, int, int, int> Shapes => new()
    {
        // batch, heads, head dimension, grid height, grid width, S, topK
        { 1, 1, 1, 1, 1, 1, 1 },
        { 2, 2, 16, 8, 8, 4, 3 },
        { 1, 2, 64, 16, 16, 4, 5 },
        { 2, 2, 13, 7, 10, 3, 4 },
        { 1, 2, 8, 5, 4, 8, 6 },
        { 1, 1, 8, 6, 6, 6, 1 },
        { 1, 2, 8, 6, 9, 3, 100 },
        { 1, 1, 24, 15, 13, 1, 1 },
        { 1, 2, 20, 22, 21, 2, 3 },
        { 2, 1, 8, 1, 37, 5, 2 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesFloat64AtEveryWidth(int batch, int heads, int headDim, int height, int width, int s, int topK)
    {
        var data = new Case(new RouteSizes(batch, heads, headDim, height, width, s, topK, 1f / MathF.Sqrt(headDim)));
        var sizes = data.Sizes;
        int[][][] table = data.ExpectedTable();
        var chosen = new HashSet<(int, int, int)>(
            Enumerable.Range(0, batch).SelectMany(b => Enumerable.Range(0, sizes.Windows).SelectMany(w => table[b][w].Select(t => (b, w, t)))));
        int Window(int token) => (token / width / sizes.WindowHeight * sizes.WindowColumns) + (token % width / sizes.WindowWidth);
        var plain = new AttentionSizes(batch, heads, sizes.Tokens, sizes.Tokens, headDim, sizes.Scale, false, 0f, 0);
        var expected = new AttentionReference(plain, data.Q, data.K, data.V, data.Dout, (b, i, j) => chosen.Contains((b, Window(i), Window(j))));
        foreach (int bits in new[] { 128, 256, 512 })
        {
            SimdLevel.Bits = bits;
            using var device = new CpuDevice(2);
            var actual = data.Run(device);
            Assert.Equal(table.SelectMany(x => x).SelectMany(x => x), actual.Table);
            AttentionReference.Close(expected.O, actual.O, 2e-6, $"o at {bits}");
            AttentionReference.Close(expected.LogSumExp, actual.LogSumExp, 2e-6, $"logSumExp at {bits}", 1);
            // Gradients of a query that sees one key are zero, up to the rounding of what cancels: hence the floor.
            AttentionReference.Close(expected.Dq, actual.Dq, 1e-5, $"dq at {bits}", 0.1);
            AttentionReference.Close(expected.Dk, actual.Dk, 1e-5, $"dk at {bits}", 0.1);
            AttentionReference.Close(expected.Dv, actual.Dv, 1e-5, $"dv at {bits}");
        }
    }

    [Fact]
    public void InverseListNamesEveryChooserInOrder()
    {
        var data = new Case(new RouteSizes(3, 1, 8, 12, 12, 4, 5, 1f));
        using var device = new CpuDevice(2);
        var actual = data.Run(device);
        int windows = data.Sizes.Windows, top = data.Sizes.TopK;
        for (int b = 0; b < 3; b++)
        {
            Assert.Equal(0, actual.Offsets[b * (windows + 1)]);
            Assert.Equal(windows * top, actual.Offsets[(b * (windows + 1)) + windows]);
            for (int w = 0; w < windows; w++)
            {
                var choosers = Enumerable.Range(0, windows).Where(c => Array.IndexOf(actual.Table, w, ((b * windows) + c) * top, top) >= 0);
                int start = actual.Offsets[(b * (windows + 1)) + w], end = actual.Offsets[(b * (windows + 1)) + w + 1];
                Assert.Equal(choosers, actual.List[((b * windows * top) + start)..((b * windows * top) + end)]);
            }
        }
    }

    [Fact]
    public void TiesGoToTheLowerIndex()
    {
        // Keys of windows 1, 3, 4 and of 0, 5 are equal; the first group has the higher affinity.
        var sizes = new RouteSizes(1, 1, 4, 2, 3, 3, 4, 1f);
        Assert.Equal(6, sizes.Windows);
        var data = new Case(sizes);
        Array.Fill(data.Q, 1f);
        float[] keys = [1f, 2f, 0.5f, 2f, 2f, 1f];
        for (int i = 0; i < data.K.Length; i++)
        {
            data.K[i] = keys[i / 4];
        }

        using var device = new CpuDevice(1);
        var actual = data.Run(device);
        for (int window = 0; window < 6; window++)
        {
            Assert.Equal([1, 3, 4, 0], actual.Table[(window * 4)..((window * 4) + 4)]);
        }

        // Nobody chose windows 2 and 5: their keys and values get no gradient at all.
        foreach (int token in new[] { 2, 5 })
        {
            Assert.All(actual.Dk[(token * 4)..((token * 4) + 4)], x => Assert.Equal(0f, x));
            Assert.All(actual.Dv[(token * 4)..((token * 4) + 4)], x => Assert.Equal(0f, x));
        }

        Assert.All(actual.Dv[4..8], x => Assert.NotEqual(0f, x));
    }

    // One thread takes a head at a time, three threads and one head take tiles: same bits from both ways.
    [Theory]
    [InlineData(1, 1, 3)]
    [InlineData(2, 2, 3)]
    [InlineData(1, 1, 1)]
    public void ThreadsDoNotChangeABit(int batch, int heads, int s)
    {
        var data = new Case(new RouteSizes(batch, heads, 20, 13, 11, s, 4, 0.2f));
        using var one = new CpuDevice(1);
        var expected = data.Run(one);
        foreach (int threads in new[] { 2, 3 })
        {
            using var device = new CpuDevice(threads);
            var actual = data.Run(device);
            Assert.Equal(expected.Table, actual.Table);
            Assert.Equal(expected.O, actual.O);
            Assert.Equal(expected.LogSumExp, actual.LogSumExp);
            Assert.Equal(expected.Dq, actual.Dq);
            Assert.Equal(expected.Dk, actual.Dk);
            Assert.Equal(expected.Dv, actual.Dv);
        }
    }

    public void Dispose() => SimdLevel.Bits = _bits;

    private sealed record Results(int[] Table, int[] Offsets, int[] List, float[] O, float[] LogSumExp, float[] Dq, float[] Dk, float[] Dv);

    // q and k are the first two column blocks of a packed projection here, v the third; o, dOut are contiguous.
    private sealed class Case(RouteSizes sizes)
    {
        internal RouteSizes Sizes { get; } = sizes;

        internal float[] Q { get; } = AttentionReference.Random(Count(sizes), 1);

        internal float[] K { get; } = AttentionReference.Random(Count(sizes), 2);

        internal float[] V { get; } = AttentionReference.Random(Count(sizes), 3);

        internal float[] Dout { get; } = AttentionReference.Random(Count(sizes), 4);

        internal int[][][] ExpectedTable()
        {
            int width = Sizes.Heads * Sizes.HeadDim;
            var table = new int[Sizes.Batch][][];
            for (int b = 0; b < Sizes.Batch; b++)
            {
                double[][] q = Means(Q, b, width), k = Means(K, b, width);
                table[b] = [.. q.Select(x => Enumerable.Range(0, Sizes.Windows)
                    .OrderByDescending(w => x.Zip(k[w], (p, r) => p * r).Sum()).ThenBy(w => w).Take(Sizes.TopK).ToArray())];
            }

            return table;
        }

        internal Results Run(CpuDevice device)
        {
            int width = Sizes.Heads * Sizes.HeadDim, tokens = Sizes.Tokens, packed = 3 * width;
            var qkv = new float[Sizes.Batch * tokens * packed];
            for (int row = 0; row < Sizes.Batch * tokens; row++)
            {
                Array.Copy(Q, row * width, qkv, row * packed, width);
                Array.Copy(K, row * width, qkv, (row * packed) + width, width);
                Array.Copy(V, row * width, qkv, (row * packed) + (2 * width), width);
            }

            using var x = device.FromHost(qkv, new Shape(Sizes.Batch, tokens, packed));
            using var dx = device.FromHost(qkv, x.Shape);
            using var o = device.FromHost(Q, new Shape(Sizes.Batch, tokens, width));
            using var dOut = device.FromHost(Dout, o.Shape);
            using var logSumExp = device.Zeros(new Shape(Sizes.Batch, Sizes.Heads, tokens));
            using var scratch = device.Zeros(new Shape(Math.Max(2 * Sizes.Batch * Sizes.Windows * width, Sizes.Batch * Sizes.Heads * tokens)));
            using var table = device.Empty(new Shape(Sizes.Batch, Sizes.Windows, Sizes.TopK), DType.Int32);
            using var offsets = device.Empty(new Shape(Sizes.Batch, Sizes.Windows + 1), DType.Int32);
            using var list = device.Empty(new Shape(Sizes.Batch, Sizes.Windows * Sizes.TopK), DType.Int32);
            TokenRows Block(Tensor tensor, int part) => new(tensor.View.Shift(part * width), tokens * packed, packed);
            var rows = new TokenRows(o.View, tokens * width, width);
            var gradient = new TokenRows(dOut.View, tokens * width, width);
            var kernels = new CpuRouteAttention(device.Threads);
            kernels.Route(Sizes, Block(x, 0), Block(x, 1), table, scratch);
            kernels.Invert(Sizes, table, offsets, list);
            kernels.Forward(Sizes, table, Block(x, 0), Block(x, 1), Block(x, 2), rows, logSumExp);
            kernels.Backward(
                Sizes,
                table,
                offsets,
                list,
                Block(x, 0),
                Block(x, 1),
                Block(x, 2),
                rows,
                logSumExp,
                gradient,
                Block(dx, 0),
                Block(dx, 1),
                Block(dx, 2),
                scratch);
            var all = dx.ToArray();
            float[] Part(int part)
            {
                var values = new float[Q.Length];
                for (int row = 0; row < Sizes.Batch * tokens; row++)
                {
                    Array.Copy(all, (row * packed) + (part * width), values, row * width, width);
                }

                return values;
            }

            return new Results(
                table.ToArray<int>(), offsets.ToArray<int>(), list.ToArray<int>(), o.ToArray(), logSumExp.ToArray(), Part(0), Part(1), Part(2));
        }

        private static int Count(RouteSizes s) => s.Batch * s.Tokens * s.Heads * s.HeadDim;

        private double[][] Means(float[] values, int b, int width)
        {
            var means = new double[Sizes.Windows][];
            for (int w = 0; w < Sizes.Windows; w++)
            {
                means[w] = new double[width];
                int top = w / Sizes.WindowColumns * Sizes.WindowHeight, left = w % Sizes.WindowColumns * Sizes.WindowWidth, count = 0;
                for (int y = top; y < Math.Min(top + Sizes.WindowHeight, Sizes.GridHeight); y++)
                {
                    for (int x = left; x < Math.Min(left + Sizes.WindowWidth, Sizes.GridWidth); x++)
                    {
                        count++;
                        for (int c = 0; c < width; c++)
                        {
                            means[w][c] += values[(((b * Sizes.Tokens) + (y * Sizes.GridWidth) + x) * width) + c];
                        }
                    }
                }

                Assert.True(count > 0);
                means[w] = [.. means[w].Select(x => x / count)];
            }

            return means;
        }
    }
}
