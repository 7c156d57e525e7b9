using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public sealed class AttentionTests : IDisposable
{
    private readonly int _bits = SimdLevel.Bits;

    public static TheoryData<int, int, int, int, int, bool, float> Shapes => new()
    {
        // batch, heads, queries, keys, head dimension, causal, dropout
        { 1, 1, 1, 1, 1, false, 0f },
        { 1, 1, 1, 5, 3, false, 0f },
        { 2, 3, 7, 7, 8, false, 0f },
        { 1, 2, 49, 97, 16, false, 0f },
        { 2, 2, 130, 130, 64, false, 0f },
        { 1, 2, 101, 15, 64, false, 0f },
        { 1, 2, 15, 101, 64, false, 0f },
        { 1, 1, 33, 50, 13, false, 0f },
        { 1, 1, 20, 23, 71, false, 0f },
        { 1, 1, 60, 70, 330, false, 0f },
        { 1, 2, 65, 70, 330, false, 0f },
        { 2, 2, 9, 9, 64, true, 0f },
        { 1, 3, 77, 77, 16, true, 0f },
        { 1, 1, 150, 150, 5, true, 0f },
        { 2, 4, 64, 15, 16, false, 0.1f },
        { 1, 2, 50, 99, 7, false, 0.5f },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesFloat64AtEveryWidth(int batch, int heads, int queries, int keys, int headDim, bool causal, float dropout)
    {
        var s = new AttentionSizes(batch, heads, queries, keys, headDim, 1f / MathF.Sqrt(headDim), causal, dropout, 0x123456789ABCDEFUL);
        var data = new Case(s);
        var expected = new AttentionReference(s, data.Q, data.K, data.V, data.Dout, (_, i, j) => !causal || j <= i);
        foreach (int bits in new[] { 128, 256, 512 })
        {
            SimdLevel.Bits = bits;
            using var device = new CpuDevice(2);
            var actual = data.Run(device);
            AttentionReference.Close(expected.O, actual.O, 2e-6, $"o at {bits}");
            AttentionReference.Close(expected.LogSumExp, actual.LogSumExp, 2e-6, $"logSumExp at {bits}", 1);
            AttentionReference.Close(expected.Dq, actual.Dq, 1e-5, $"dq at {bits}", 1e-2);
            AttentionReference.Close(expected.Dk, actual.Dk, 1e-5, $"dk at {bits}", 1e-2);
            AttentionReference.Close(expected.Dv, actual.Dv, 1e-5, $"dv at {bits}");
        }
    }

    [Fact]
    public void ColumnBlocksOfOneProjectionServeAsQKV()
    {
        const int batch = 2, heads = 3, tokens = 53, d = 20, width = heads * d, packed = 3 * width;
        var s = new AttentionSizes(batch, heads, tokens, tokens, d, 0.2f, false, 0f, 0);
        var data = new Case(s);
        var qkv = new float[batch * tokens * packed];
        for (int row = 0; row < batch * tokens; row++)
        {
            Array.Copy(data.Q, row * width, qkv, row * packed, width);
            Array.Copy(data.K, row * width, qkv, (row * packed) + width, width);
            Array.Copy(data.V, row * width, qkv, (row * packed) + (2 * width), width);
        }

        using var device = new CpuDevice(2);
        var plain = data.Run(device);
        using var x = device.FromHost(qkv, new Shape(batch, tokens, packed));
        using var dx = device.Zeros(x.Shape);
        using var o = device.Zeros(new Shape(batch, tokens, width));
        using var dOut = device.FromHost(data.Dout, o.Shape);
        using var logSumExp = device.Zeros(new Shape(batch, heads, tokens));
        using var scratch = device.Zeros(logSumExp.Shape);
        TokenRows Block(Tensor tensor, int part) => new(tensor.View.Shift(part * width), tokens * packed, packed);
        var rows = new TokenRows(o.View, tokens * width, width);
        var gradient = new TokenRows(dOut.View, tokens * width, width);
        var kernels = new CpuAttention(device.Threads);
        kernels.Forward(s, Block(x, 0), Block(x, 1), Block(x, 2), rows, logSumExp);
        kernels.Backward(s, Block(x, 0), Block(x, 1), Block(x, 2), rows, logSumExp, gradient, Block(dx, 0), Block(dx, 1), Block(dx, 2), scratch);
        Assert.Equal(plain.O, o.ToArray());
        var all = dx.ToArray();
        for (int row = 0; row < batch * tokens; row++)
        {
            Assert.Equal(plain.Dq.AsSpan(row * width, width), all.AsSpan(row * packed, width));
            Assert.Equal(plain.Dk.AsSpan(row * width, width), all.AsSpan((row * packed) + width, width));
            Assert.Equal(plain.Dv.AsSpan(row * width, width), all.AsSpan((row * packed) + (2 * width), width));
        }
    }

    // One thread takes a head at a time, three threads and one head take tiles: same bits from both ways.
    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(1, 3, true)]
    [InlineData(2, 2, true)]
    public void ThreadsDoNotChangeABit(int batch, int heads, bool causal)
    {
        var s = new AttentionSizes(batch, heads, 149, 149, 24, 0.2f, causal, 0.1f, 5);
        var data = new Case(s);
        using var one = new CpuDevice(1);
        var expected = data.Run(one);
        foreach (int threads in new[] { 2, 3 })
        {
            using var device = new CpuDevice(threads);
            var actual = data.Run(device);
            Assert.Equal(expected.O, actual.O);
            Assert.Equal(expected.LogSumExp, actual.LogSumExp);
            Assert.Equal(expected.Dq, actual.Dq);
            Assert.Equal(expected.Dk, actual.Dk);
            Assert.Equal(expected.Dv, actual.Dv);
        }
    }

    [Fact]
    public void LargeScoresStayFinite()
    {
        var s = new AttentionSizes(1, 1, 60, 60, 8, 1f, false, 0f, 0);
        var data = new Case(s, 30);
        using var device = new CpuDevice(2);
        var actual = data.Run(device);
        Assert.All(actual.O, x => Assert.True(float.IsFinite(x)));
        Assert.All(actual.Dk, x => Assert.True(float.IsFinite(x)));

        // Scores reach thousands, far beyond what e^x can hold.
        Assert.True(actual.LogSumExp.Max() > 1000);
        for (int i = 0; i < 60; i++)
        {
            var dots = new double[60];
            for (int j = 0; j < 60; j++)
            {
                for (int c = 0; c < 8; c++)
                {
                    dots[j] += (double)data.Q[(i * 8) + c] * data.K[(j * 8) + c];
                }
            }

            double top = dots.Max(), expected = top + Math.Log(dots.Sum(x => Math.Exp(x - top)));
            Assert.Equal(expected, actual.LogSumExp[i], 1e-5 * Math.Abs(expected));
        }
    }

    [Fact]
    public void SteadyStateAllocatesNothing()
    {
        var s = new AttentionSizes(1, 2, 60, 60, 16, 0.25f, false, 0f, 0);
        using var device = new CpuDevice(1);
        using var x = device.FromHost(AttentionReference.Random(60 * 32, 1), new Shape(60, 32));
        using var y = device.Zeros(x.Shape);
        using var dq = device.Zeros(x.Shape);
        using var dk = device.Zeros(x.Shape);
        using var dv = device.Zeros(x.Shape);
        using var logSumExp = device.Zeros(new Shape(2, 60));
        using var scratch = device.Zeros(new Shape(2, 60));
        TokenRows Rows(Tensor t) => new(t.View, 60 * 32, 32);
        var kernels = new CpuAttention(device.Threads);
        long least = long.MaxValue;
        for (int run = 0; run < 6; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            kernels.Forward(s, Rows(x), Rows(x), Rows(x), Rows(y), logSumExp);
            kernels.Backward(s, Rows(x), Rows(x), Rows(x), Rows(y), logSumExp, Rows(x), Rows(dq), Rows(dk), Rows(dv), scratch);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    public void Dispose() => SimdLevel.Bits = _bits;

    internal sealed record Results(float[] O, float[] LogSumExp, float[] Dq, float[] Dk, float[] Dv);

    private sealed class Case(AttentionSizes s, double deviation = 1)
    {
        internal float[] Q { get; } = AttentionReference.Random(s.Batch * s.Queries * s.Heads * s.HeadDim, 1, deviation);

        internal float[] K { get; } = AttentionReference.Random(s.Batch * s.Keys * s.Heads * s.HeadDim, 2, deviation);

        internal float[] V { get; } = AttentionReference.Random(s.Batch * s.Keys * s.Heads * s.HeadDim, 3, deviation);

        internal float[] Dout { get; } = AttentionReference.Random(s.Batch * s.Queries * s.Heads * s.HeadDim, 4, deviation);

        internal Results Run(CpuDevice device)
        {
            int width = s.Heads * s.HeadDim;
            var queryShape = new Shape(s.Batch, s.Queries, width);
            var keyShape = new Shape(s.Batch, s.Keys, width);
            TokenRows Rows(Tensor t) => new(t.View, t.Shape[1] * width, width);
            using var q = device.FromHost(Q, queryShape);
            using var k = device.FromHost(K, keyShape);
            using var v = device.FromHost(V, keyShape);
            using var dOut = device.FromHost(Dout, queryShape);
            using var o = device.FromHost(Q, queryShape);
            using var dq = device.FromHost(Q, queryShape);
            using var dk = device.FromHost(K, keyShape);
            using var dv = device.FromHost(V, keyShape);
            using var logSumExp = device.Zeros(new Shape(s.Batch, s.Heads, s.Queries));
            using var scratch = device.Zeros(logSumExp.Shape);
            var kernels = new CpuAttention(device.Threads);
            kernels.Forward(s, Rows(q), Rows(k), Rows(v), Rows(o), logSumExp);
            kernels.Backward(s, Rows(q), Rows(k), Rows(v), Rows(o), logSumExp, Rows(dOut), Rows(dq), Rows(dk), Rows(dv), scratch);
            return new Results(o.ToArray(), logSumExp.ToArray(), dq.ToArray(), dk.ToArray(), dv.ToArray());
        }
    }
}
