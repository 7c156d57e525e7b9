using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Kernels.RouteAttention.TensorCore;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Attention kernels that are wrong in one place: the first-use check finds it, the portable ones take over, and a warning says so.
/// </summary>
[Collection("ptx machine")]
public class TensorCoreWrongAttentionTests(PtxMachineFixture fixture)
{
    private const int Tokens = 20;
    private const int Width = 64;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PortableAttentionTakesOver(bool backward)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var warnings = new List<string>();
        var gate = new TensorCoreGate(device, warnings.Add, always: true);
        var portable = new GpuAttention(launcher);
        var wrong = new WrongAttention(new TensorCoreAttention(launcher), backward);
        var sizes = new AttentionSizes(1, 1, Tokens, Tokens, Width, 0.125f, false, 0, 0);
        Run(device, sizes.Heads, problem =>
        {
            new CheckedAttention(launcher, gate, portable, wrong).Forward(sizes, problem.Q, problem.K, problem.V, problem.O, problem.LogSumExp);
            new CheckedAttention(launcher, gate, portable, wrong).Backward(
                sizes,
                problem.Q,
                problem.K,
                problem.V,
                problem.O,
                problem.LogSumExp,
                problem.Dout,
                problem.Dq,
                problem.Dk,
                problem.Dv,
                problem.Scratch);
        }, problem =>
        {
            portable.Forward(sizes, problem.Q, problem.K, problem.V, problem.O, problem.LogSumExp);
            portable.Backward(
                sizes,
                problem.Q,
                problem.K,
                problem.V,
                problem.O,
                problem.LogSumExp,
                problem.Dout,
                problem.Dq,
                problem.Dk,
                problem.Dv,
                problem.Scratch);
        });
        Assert.Matches(
            $"^{fixture.Twin.Device.Name}" + @": tensor-core kernel attention\.bf16 differs at 90 causal tokens, 2 heads of 64, dropout from the portable kernel by \d\.\de[-+]\d+ of the largest value, at most 2\.0e-002 expected; the portable kernel takes its place$",
            Assert.Single(warnings));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PortableRouteAttentionTakesOver(bool backward)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var warnings = new List<string>();
        var gate = new TensorCoreGate(device, warnings.Add, always: true);
        var portable = new GpuRouteAttention(launcher);
        var wrong = new WrongRouteAttention(new TensorCoreRouteAttention(launcher, portable), backward);
        var sizes = new RouteSizes(1, 1, Width, 4, 5, 2, 2, 0.125f);
        using Tensor table = device.Empty(new Shape(sizes.Windows * sizes.TopK), DType.Int32), offsets = device.Empty(
            new Shape(sizes.Windows + 1), DType.Int32);
        using Tensor list = device.Empty(new Shape(sizes.Windows * sizes.TopK), DType.Int32);
        void Both(IRouteAttentionKernels kernels, AttentionCheck problem)
        {
            kernels.Route(sizes, problem.Q, problem.K, table, problem.Scratch);
            kernels.Invert(sizes, table, offsets, list);
            kernels.Forward(sizes, table, problem.Q, problem.K, problem.V, problem.O, problem.LogSumExp);
            kernels.Backward(
                sizes,
                table,
                offsets,
                list,
                problem.Q,
                problem.K,
                problem.V,
                problem.O,
                problem.LogSumExp,
                problem.Dout,
                problem.Dq,
                problem.Dk,
                problem.Dv,
                problem.Scratch);
        }

        Run(
            device,
            sizes.Heads,
            problem => Both(new CheckedRouteAttention(launcher, gate, portable, wrong), problem),
            problem => Both(portable, problem));
        Assert.Matches(
            $"^{fixture.Twin.Device.Name}" + @": tensor-core kernel route_attention\.bf16 differs at 13 x 11 tokens in 3 x 3 windows, top 4, 3 heads of 64 from the portable kernel by \d\.\de[-+]\d+ of the largest value, at most 2\.0e-002 expected; the portable kernel takes its place$",
            Assert.Single(warnings));
    }

    // The same bits as the portable kernels: nothing of the wrong ones is left.
    private static void Run(Device device, int heads, Action<AttentionCheck> tested, Action<AttentionCheck> portable)
    {
        using var problem = new AttentionCheck(device, Tokens, Width, heads);
        try
        {
            device.Precision = Precision.Bf16;
            Assert.Equal(0, problem.Difference(portable, tested, (run, p) => run(p)));
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }

    /// <summary>Scores 1.3 times too large, in the forward or in the backward.</summary>
    private sealed class WrongAttention(IAttentionKernels kernels, bool backward) : IAttentionKernels
    {
        public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
            kernels.Forward(backward ? sizes : sizes with { Scale = 1.3f * sizes.Scale }, q, k, v, o, logSumExp);

        public void Backward(
            in AttentionSizes sizes,
            TokenRows q,
            TokenRows k,
            TokenRows v,
            TokenRows o,
            View logSumExp,
            TokenRows dOut,
            TokenRows dq,
            TokenRows dk,
            TokenRows dv,
            View scratch) =>
            kernels.Backward(backward ? sizes with { Scale = 1.3f * sizes.Scale } : sizes, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);
    }

    /// <summary>The forward takes k for v; or the backward exchanges dk and dv.</summary>
    private sealed class WrongRouteAttention(IRouteAttentionKernels kernels, bool backward) : IRouteAttentionKernels
    {
        public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch) => kernels.Route(sizes, q, k, table, scratch);

        public void Invert(in RouteSizes sizes, View table, View offsets, View list) => kernels.Invert(sizes, table, offsets, list);

        public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
            kernels.Forward(sizes, table, q, k, backward ? v : k, o, logSumExp);

        public void Backward(
            in RouteSizes sizes,
            View table,
            View offsets,
            View list,
            TokenRows q,
            TokenRows k,
            TokenRows v,
            TokenRows o,
            View logSumExp,
            TokenRows dOut,
            TokenRows dq,
            TokenRows dk,
            TokenRows dv,
            View scratch) =>
            kernels.Backward(sizes, table, offsets, list, q, k, v, o, logSumExp, dOut, dq, backward ? dv : dk, backward ? dk : dv, scratch);
    }
}
