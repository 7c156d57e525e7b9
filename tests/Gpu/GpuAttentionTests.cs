using Ldvc.Kernels.Attention;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClAttentionTests(OpenClFixture fixture)
{
    [Theory]
    // batch, heads, queries, keys, head dimension, causal, dropout, packed
    [InlineData(1, 1, 1, 5, 3, false, 0f, false)]
    [InlineData(2, 3, 7, 7, 8, false, 0f, true)]
    [InlineData(1, 2, 49, 97, 16, false, 0f, false)]
    [InlineData(2, 2, 130, 130, 64, false, 0f, true)]
    [InlineData(1, 2, 101, 15, 64, false, 0f, false)]
    [InlineData(1, 2, 15, 101, 64, false, 0f, false)]
    [InlineData(1, 1, 33, 50, 13, false, 0f, false)]
    [InlineData(1, 1, 20, 23, 71, false, 0f, false)]
    [InlineData(1, 2, 65, 70, 330, false, 0.3f, false)]
    [InlineData(3, 2, 9, 9, 64, true, 0f, true)]
    [InlineData(1, 3, 77, 77, 16, true, 0f, true)]
    [InlineData(1, 1, 150, 150, 65, true, 0.1f, true)]
    [InlineData(2, 4, 64, 15, 16, false, 0.1f, false)]
    [InlineData(1, 2, 50, 99, 7, false, 0.5f, false)]
    // ViT-B/16 at 512, CLIP's text tower, the decoder's cross attention
    [InlineData(1, 12, 1025, 1025, 64, false, 0f, true)]
    [InlineData(15, 8, 77, 77, 64, true, 0f, true)]
    [InlineData(2, 8, 1024, 15, 64, false, 0.1f, false)]
    public void ForwardAndBackward(int batch, int heads, int queries, int keys, int headDim, bool causal, float dropout, bool packed) =>
        AttentionCases.Run(
            fixture.Twin,
            new AttentionSizes(batch, heads, queries, keys, headDim, 1f / MathF.Sqrt(headDim), causal, dropout, 0x123456789ABCDEFUL),
            packed);

    [Fact]
    public void APartOfALargerMask() =>
        AttentionCases.Run(fixture.Twin, new AttentionSizes(2, 2, 20, 23, 16, 0.25f, false, 0.3f, 0x123456789ABCDEFUL, uint.MaxValue - 700), false);

    // Weights come from differences of thousands, which hold few digits, and gradients from differences of those: only their being finite is
    // compared.
    [Fact]
    public void ScoresOfThousandsStayFinite() => fixture.Twin.Check(2e-3, bench =>
    {
        var tensors = AttentionCases.Body(bench, new AttentionSizes(1, 1, 60, 60, 8, 1f, false, 0f, 0), false, 30, 0);
        Assert.All(tensors, t => Assert.All(t.ToArray(), x => Assert.True(float.IsFinite(x))));
        Assert.True(tensors[1].ToArray().Max() > 1000);
        return tensors[..2];
    });

    // Rows that start at no multiple of four floats leave the vector path.
    [Fact]
    public void ShiftedRows() => AttentionCases.Run(fixture.Twin, new AttentionSizes(1, 2, 40, 40, 64, 0.125f, false, 0f, 0), true, shift: 1);

    [Fact]
    public void TwoRunsAgreeToTheBit()
    {
        var sizes = new AttentionSizes(2, 2, 70, 70, 64, 0.125f, false, 0.1f, 9);
        float[][] Run()
        {
            using var bench = new Bench(fixture.Twin.Device);
            return [.. AttentionCases.Body(bench, sizes, true, 1, 0).Select(t => t.ToArray())];
        }

        Assert.Equal(Run(), Run());
    }
}

[Collection("simulator")]
public class SimulatorAttentionTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(1, 1, 5, 9, 8, false, 0f)]
    [InlineData(1, 1, 20, 20, 6, true, 0f)]
    [InlineData(1, 1, 4, 33, 68, false, 0.2f)]
    public void ForwardAndBackward(int batch, int heads, int queries, int keys, int headDim, bool causal, float dropout) =>
        AttentionCases.Run(
            fixture.Twin, new AttentionSizes(batch, heads, queries, keys, headDim, 1f / MathF.Sqrt(headDim), causal, dropout, 77), false);
}

internal static class AttentionCases
{
    internal static void Run(Twin twin, AttentionSizes sizes, bool packed, int shift = 0) =>
        twin.Check(5e-6, bench => Body(bench, sizes, packed, 1, shift));

    /// <summary>o, logSumExp and the gradients; packed: q, k and v are column blocks of one tensor, and their gradients of another.</summary>
    internal static Tensor[] Body(Bench bench, AttentionSizes s, bool packed, double factor, int shift)
    {
        int width = s.Heads * s.HeadDim;
        Tensor logSumExp = bench.Output(s.Batch, s.Heads, s.Queries), scratch = bench.Output(s.Batch, s.Heads, s.Queries);
        Tensor o = bench.Output(s.Batch, s.Queries, width), dOut = bench.Normal(new Shape(s.Batch, s.Queries, width), factor);
        TokenRows Rows(Tensor t, int tokens) => new(t.View, (long)tokens * width, width);
        TokenRows Block(Tensor t, int part) => new(t.View.Shift((part * width) + shift), 3L * s.Queries * width, 3 * width);
        TokenRows q, k, v, dq, dk, dv;
        Tensor[] gradients;
        if (packed)
        {
            // Room for the shift: a row more.
            int rows = (s.Batch * s.Queries) + (shift > 0 ? 1 : 0);
            Tensor x = bench.Normal(new Shape(rows, 3 * width), factor), dx = bench.Output(rows, 3 * width);
            (q, k, v, dq, dk, dv) = (Block(x, 0), Block(x, 1), Block(x, 2), Block(dx, 0), Block(dx, 1), Block(dx, 2));
            gradients = [dx];
        }
        else
        {
            Tensor tq = bench.Normal(new Shape(s.Batch, s.Queries, width), factor), tk = bench.Normal(new Shape(s.Batch, s.Keys, width), factor);
            Tensor tv = bench.Normal(new Shape(s.Batch, s.Keys, width), factor), tdq = bench.Output(s.Batch, s.Queries, width);
            Tensor tdk = bench.Output(s.Batch, s.Keys, width), tdv = bench.Output(s.Batch, s.Keys, width);
            (q, k, v, dq, dk, dv) = (Rows(tq, s.Queries), Rows(tk, s.Keys), Rows(tv, s.Keys), Rows(tdq, s.Queries), Rows(tdk, s.Keys),
                Rows(tdv, s.Keys));
            gradients = [tdq, tdk, tdv];
        }

        bench.Kernels.Attention.Forward(s, q, k, v, Rows(o, s.Queries), logSumExp);
        bench.Kernels.Attention.Backward(s, q, k, v, Rows(o, s.Queries), logSumExp, Rows(dOut, s.Queries), dq, dk, dv, scratch);
        return [o, logSumExp, .. gradients];
    }
}
