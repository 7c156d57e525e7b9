using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Kernels.RouteAttention.TensorCore;
using Ldvc.Ptx.Machine;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Accesses of the hot kernels, counted while their CUDA code runs on whole tiles: no two lanes want different words of a bank, and sectors of device
/// memory are used whole.
/// </summary>
public sealed class PtxTrafficTests : IDisposable
{
    private const int HeadDim = 64;

    private readonly PtxMachine _machine = new() { CountsTraffic = true };
    private readonly Device _device = DeviceFactory.Open("simulator");
    private readonly GpuLauncher _launcher;

    public PtxTrafficTests()
    {
        _launcher = KernelSet.For(_device).Launcher!;
        _launcher.Recorder = _machine.Run;
        _launcher.Multiprocessors = 1;
    }

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Products(bool transposeA, bool transposeB)
    {
        const int edge = 128;
        using Tensor a = Zeros(edge * edge), b = Zeros(edge * edge), c = Zeros(edge * edge);
        var gemm = new Gemm(edge, edge, edge, a, b, c) { TransposeA = transposeA, TransposeB = transposeB };
        foreach (var precision in new[] { Precision.Bf16, Precision.Tf32 })
        {
            new TensorCoreMatMul(_launcher, precision).Run(gemm, large: true, 0);
            new TensorCoreMatMul(_launcher, precision).Run(gemm, large: false, 0);
        }

        var products = new GpuMatMul(_launcher);
        products.Run(gemm, products.Choose(gemm).Large, 0);
        Assert.Equal(5, Checked("matmul.", 0.99));
    }

    [Fact]
    public void Attention()
    {
        const int tokens = 128;
        var sizes = new AttentionSizes(1, 1, tokens, tokens, HeadDim, 0.125f, false, 0, 0);
        using Tensor q = Zeros(tokens * HeadDim), o = Zeros(tokens * HeadDim), dq = Zeros(tokens * HeadDim), dk = Zeros(tokens * HeadDim),
            dv = Zeros(tokens * HeadDim), lse = Zeros(tokens), scratch = Zeros(tokens);
        static TokenRows rows(Tensor tensor) => new(tensor, tokens * HeadDim, HeadDim);
        foreach (IAttentionKernels kernels in new IAttentionKernels[] { new TensorCoreAttention(_launcher), new GpuAttention(_launcher) })
        {
            kernels.Forward(sizes, rows(q), rows(q), rows(q), rows(o), lse);
            kernels.Backward(sizes, rows(q), rows(q), rows(q), rows(o), lse, rows(o), rows(dq), rows(dk), rows(dv), scratch);
        }

        Assert.Equal(3, Checked("attention.bf16_", 0.75));
        Assert.Equal(3, Checked("attention.", 0.97));
    }

    [Fact]
    public void RouteAttention()
    {
        const int edge = 16, windows = 4, topK = 4, count = edge * edge * HeadDim;
        var sizes = new RouteSizes(1, 1, HeadDim, edge, edge, windows, topK, 0.125f);
        using Tensor q = Zeros(count), o = Zeros(count), dq = Zeros(count), dk = Zeros(count), dv = Zeros(count), lse = Zeros(edge * edge),
            scratch = Zeros(count);
        using Tensor table = Integers(windows * windows * topK), offsets = Integers((windows * windows) + 1),
            list = Integers(windows * windows * topK);
        static TokenRows rows(Tensor tensor) => new(tensor, count, HeadDim);
        var portable = new GpuRouteAttention(_launcher);
        foreach (IRouteAttentionKernels kernels in new IRouteAttentionKernels[] { new TensorCoreRouteAttention(_launcher, portable), portable })
        {
            kernels.Route(sizes, rows(q), rows(q), table, scratch);
            kernels.Invert(sizes, table, offsets, list);
            kernels.Forward(sizes, table, rows(q), rows(q), rows(q), rows(o), lse);
            kernels.Backward(sizes, table, offsets, list, rows(q), rows(q), rows(q), rows(o), lse, rows(o), rows(dq), rows(dk), rows(dv), scratch);
        }

        Assert.Equal(3, Checked("route_attention.bf16_", 0.75));
        Assert.Equal(3, Checked("route_attention.", 0.95));
    }

    [Fact]
    public void CountsTurnsAndSectors()
    {
        var traffic = new PtxTraffic();
        long[] Strided(int bytes) => [.. Enumerable.Range(0, 32).Select(lane => (long)lane * bytes)];
        traffic.Count(1, null, Strided(4), uint.MaxValue, 4);
        traffic.Count(2, null, new long[32], uint.MaxValue, 4);
        Assert.Equal((2, 0), (traffic.SharedTurns, traffic.ExtraTurns));
        traffic.Count(3, null, Strided(8), uint.MaxValue, 4);
        traffic.Count(4, null, Strided(128), 0xFF, 4);
        Assert.Equal((4, 8), (traffic.SharedTurns, traffic.ExtraTurns));
        Assert.Equal([(4, 7L), (3, 1L)], traffic.Conflicts);
        traffic.Count(5, null, Strided(16), uint.MaxValue, 16);
        Assert.Equal((8, 8), (traffic.SharedTurns, traffic.ExtraTurns));
        traffic.Count(6, 0, Strided(4), uint.MaxValue, 4);
        Assert.Equal((128, 128), (traffic.Wanted, traffic.Moved));
        traffic.Count(7, 0, Strided(32), uint.MaxValue, 4);
        Assert.Equal((256, 128 + 1024), (traffic.Wanted, traffic.Moved));
    }

    // What multiplies: not the small kernels before and after, which choose windows, list who chose them, or sum rows.
    private int Checked(string prefix, double efficiency)
    {
        var hot = _machine.Traffic.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && pair.Value.SharedTurns > 0
            && !pair.Key.Contains(".delta", StringComparison.Ordinal)
            && !pair.Key.Contains(".choose", StringComparison.Ordinal) && !pair.Key.Contains(".invert", StringComparison.Ordinal)
                && (prefix.Contains("bf16", StringComparison.Ordinal) || !pair.Key.Contains("attention.bf16", StringComparison.Ordinal))).ToList();
        Assert.All(hot, pair => Assert.True(pair.Value.ExtraTurns == 0, $"{pair.Key}: {pair.Value.ExtraTurns} turns on top of "
            + $"{pair.Value.SharedTurns}, at {string.Join(", ", pair.Value.Conflicts.Take(5))}"));
        Assert.All(
            hot,
            pair => Assert.True(pair.Value.Efficiency >= efficiency, $"{pair.Key}: {pair.Value.Efficiency:P0} of the sectors' bytes are wanted"));
        return hot.Count;
    }

    private Tensor Zeros(int count) => _device.Zeros(new Shape(count));

    private Tensor Integers(int count) => _device.Empty(new Shape(count), DType.Int32);
}
