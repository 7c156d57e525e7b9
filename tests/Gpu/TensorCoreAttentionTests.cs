using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// bf16 and fp16 attention in the simulator against float64 on the rounded inputs. What is left is the rounding of the weights and of their
/// gradients: with 8 bits 5e-3 of the largest value for outputs, 2e-2 for gradients, with 11 bits an eighth. Gradients of fp16 are as small as those
/// of a mean over many pixels.
/// </summary>
[Collection("simulator")]
public class TensorCoreAttentionTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(1, 1, 1, 1, false, 0f)]
    [InlineData(1, 2, 20, 37, false, 0f)]
    [InlineData(1, 1, 66, 33, false, 0f)]
    [InlineData(1, 1, 9, 70, false, 0f)]
    [InlineData(2, 1, 40, 40, true, 0f)]
    [InlineData(2, 1, 17, 21, false, 0.2f)]
    [InlineData(1, 1, 17, 21, false, 0.2f, 3 * 17 * 21)]
    public void MatchesFloat64(int batch, int heads, int queries, int keys, bool causal, float dropout, int firstWeight = 0) =>
        Check(DType.BFloat16, 1, batch, heads, queries, keys, causal, dropout, firstWeight);

    [Theory]
    [InlineData(1, 2, 20, 37, 0f)]
    [InlineData(2, 1, 17, 21, 0.2f)]
    public void Fp16MatchesFloat64(int batch, int heads, int queries, int keys, float dropout) =>
        Check(DType.Float16, 1e-8f, batch, heads, queries, keys, false, dropout, 0);

    private void Check(DType half, float gradient, int batch, int heads, int queries, int keys, bool causal, float dropout, int firstWeight)
    {
        const int d = 64;
        double finer = half == DType.Float16 ? 0.125 : 1;
        var sizes = new AttentionSizes(batch, heads, queries, keys, d, 1f / MathF.Sqrt(d), causal, dropout, 0x123456789ABCDEFUL, (ulong)firstWeight);
        int width = heads * d, countQ = batch * queries * width, countK = batch * keys * width;
        float[] q = TensorCoreReference.Normal(countQ, 1), k = TensorCoreReference.Normal(countK, 2), v = TensorCoreReference.Normal(countK, 3),
            dOut = TensorCoreReference.Normal(countQ, 4);
        var expected = new AttentionReference(
            sizes,
            TensorCoreReference.Rounded(q, half),
            TensorCoreReference.Rounded(k, half),
            TensorCoreReference.Rounded(v, half),
            TensorCoreReference.Rounded(dOut, half),
            (_, i, j) => !causal || j <= i);

        var device = fixture.Twin.Device;
        var kernels = new TensorCoreAttention(KernelSet.For(device).Launcher!, half);
        using Tensor tq = device.FromHost(q, new Shape(countQ)), to = device.Zeros(new Shape(countQ)), tdOut = device.FromHost(
            [.. TensorCoreReference.Rounded(dOut, half).Select(x => x * gradient)], new Shape(countQ)), dq = device.Zeros(new Shape(countQ));

        // Keys and values, and their gradients, are column blocks of one tensor.
        using Tensor tkv = device.FromHost(Interleave(k, v, width), new Shape(2 * countK)), dkv = device.Zeros(new Shape(2 * countK));
        using Tensor lse = device.Zeros(new Shape(batch * heads * queries)), scratch = device.Zeros(new Shape(batch * heads * queries));
        TokenRows rows(Tensor tensor) => new(tensor, (long)queries * width, width);
        TokenRows block(Tensor tensor, int part) => new(tensor.View.Shift(part * width), 2L * keys * width, 2 * width);
        kernels.Forward(sizes, rows(tq), block(tkv, 0), block(tkv, 1), rows(to), lse);
        kernels.Backward(
            sizes, rows(tq), block(tkv, 0), block(tkv, 1), rows(to), lse, rows(tdOut), rows(dq), block(dkv, 0), block(dkv, 1), scratch);
        AttentionReference.Close(expected.O, to.ToArray(), finer * 5e-3, "o");
        AttentionReference.Close(expected.LogSumExp, lse.ToArray(), 1e-5, "logSumExp", 1);
        AttentionReference.Close(expected.Dq, Divided(dq), finer * 2e-2, "dq", 0.1);
        float[] both = Divided(dkv);
        float[] Divided(Tensor tensor) => [.. tensor.ToArray().Select(x => x / gradient)];
        AttentionReference.Close(expected.Dk, Part(both, 0, width), finer * 2e-2, "dk", 0.1);
        AttentionReference.Close(expected.Dv, Part(both, 1, width), finer * 2e-2, "dv");
    }

    private static float[] Interleave(float[] a, float[] b, int width) =>
        [.. Enumerable.Range(0, a.Length / width)
            .SelectMany(row => a[(row * width)..((row + 1) * width)].Concat(b[(row * width)..((row + 1) * width)]))];

    private static float[] Part(float[] values, int part, int width) => [.. values.Where((_, i) => i / width % 2 == part)];
}
