using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Kernels.RouteAttention.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>bf16 and fp16 route attention in the simulator against float64 on the rounded inputs, with bounds as for plain attention.</summary>
[Collection("simulator")]
public class TensorCoreRouteAttentionTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(1, 2, 8, 8, 2, 3)]
    [InlineData(2, 1, 7, 8, 3, 2)]
    [InlineData(1, 3, 3, 2, 2, 3)]
    [InlineData(1, 1, 10, 9, 2, 2)]
    public void MatchesFloat64(int batch, int heads, int height, int width, int s, int topK) =>
        Check(DType.BFloat16, 1, batch, heads, height, width, s, topK);

    [Fact]
    public void Fp16MatchesFloat64() => Check(DType.Float16, 1e-8f, 1, 3, 3, 2, 2, 3);

    private void Check(DType half, float gradient, int batch, int heads, int height, int width, int s, int topK)
    {
        const int d = 64;
        double finer = half == DType.Float16 ? 0.125 : 1;
        var sizes = new RouteSizes(batch, heads, d, height, width, s, topK, 1f / MathF.Sqrt(d));
        int channels = heads * d, tokens = sizes.Tokens, count = batch * tokens * channels;
        float[] q = TensorCoreReference.Normal(count, 11), k = TensorCoreReference.Normal(count, 12), v = TensorCoreReference.Normal(count, 13),
            dOut = TensorCoreReference.Normal(count, 14);
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var kernels = new TensorCoreRouteAttention(launcher, new GpuRouteAttention(launcher), half);
        using Tensor tq = device.FromHost(q, new Shape(count)), tk = device.FromHost(k, new Shape(count)), tv = device.FromHost(v, new Shape(count)),
            tdOut = device.FromHost([.. TensorCoreReference.Rounded(dOut, half).Select(x => x * gradient)], new Shape(count));
        using Tensor o = device.Zeros(new Shape(count)), dq = device.Zeros(new Shape(count)), dk = device.Zeros(new Shape(count)),
            dv = device.Zeros(new Shape(count));
        using Tensor lse = device.Zeros(new Shape(batch * heads * tokens)), scratch = device.Zeros(
            new Shape(Math.Max(2 * batch * sizes.Windows * channels, batch * heads * tokens)));
        using Tensor table = device.Empty(new Shape(batch, sizes.Windows, sizes.TopK), DType.Int32), offsets = device.Empty(
            new Shape(batch, sizes.Windows + 1), DType.Int32);
        using Tensor list = device.Empty(new Shape(batch, sizes.Windows * sizes.TopK), DType.Int32);
        TokenRows rows(Tensor tensor) => new(tensor, (long)tokens * channels, channels);
        kernels.Route(sizes, rows(tq), rows(tk), table, scratch);
        kernels.Invert(sizes, table, offsets, list);
        kernels.Forward(sizes, table, rows(tq), rows(tk), rows(tv), rows(o), lse);
        kernels.Backward(
            sizes, table, offsets, list, rows(tq), rows(tk), rows(tv), rows(o), lse, rows(tdOut), rows(dq), rows(dk), rows(dv), scratch);

        int[] chosen = table.ToArray<int>();
        int window(int token) => (token / width / sizes.WindowHeight * sizes.WindowColumns) + (token % width / sizes.WindowWidth);
        var plain = new AttentionSizes(batch, heads, tokens, tokens, d, sizes.Scale, false, 0, 0);
        var expected = new AttentionReference(
            plain,
            TensorCoreReference.Rounded(q, half),
            TensorCoreReference.Rounded(k, half),
            TensorCoreReference.Rounded(v, half),
            TensorCoreReference.Rounded(dOut, half),
            (b, i, j) => Array.IndexOf(chosen, window(j), ((b * sizes.Windows) + window(i)) * sizes.TopK, sizes.TopK) >= 0);
        AttentionReference.Close(expected.O, o.ToArray(), finer * 5e-3, "o");
        AttentionReference.Close(expected.LogSumExp, lse.ToArray(), 1e-5, "logSumExp", 1);
        AttentionReference.Close(expected.Dq, Divided(dq), finer * 2e-2, "dq", 0.1);
        AttentionReference.Close(expected.Dk, Divided(dk), finer * 2e-2, "dk", 0.1);
        AttentionReference.Close(expected.Dv, Divided(dv), finer * 2e-2, "dv");
        float[] Divided(Tensor tensor) => [.. tensor.ToArray().Select(x => x / gradient)];
    }
}
