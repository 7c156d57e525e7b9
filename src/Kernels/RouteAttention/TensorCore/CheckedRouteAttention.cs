using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention.TensorCore;

/// <summary>
/// Route attention of a GPU: on the tensor cores where <see cref="RouteAttentionPlan"/> says so and the first-use check has passed.
/// </summary>
/// <param name="launcher">Where kernels are queued.</param>
/// <param name="gate">The first-use check.</param>
/// <param name="portable">The portable kernels; they always do the routing.</param>
/// <param name="tensorCores">The kernels for tensor cores; others than the real ones in tests.</param>
internal sealed class CheckedRouteAttention(
    GpuLauncher launcher, TensorCoreGate gate, GpuRouteAttention portable, IRouteAttentionKernels? tensorCores = null)
    : IRouteAttentionKernels
{
    // The problem of the check: windows of 5 x 4 tokens, two tiles each, partial ones at the lower and right edges.
    private const int Heads = 3;
    private const int GridHeight = 13;
    private const int GridWidth = 11;
    private const int Windows = 3;
    private const int TopK = 4;

    private readonly IRouteAttentionKernels _bf16 = tensorCores ?? new TensorCoreRouteAttention(launcher, portable);
    private readonly IRouteAttentionKernels _fp16 = tensorCores ?? new TensorCoreRouteAttention(launcher, portable, DType.Float16);

    /// <inheritdoc/>
    public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch) => portable.Route(sizes, q, k, table, scratch);

    /// <inheritdoc/>
    public void Invert(in RouteSizes sizes, View table, View offsets, View list) => portable.Invert(sizes, table, offsets, list);

    /// <inheritdoc/>
    public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
        Choose(RouteAttentionPlan.TakesTensorCores(launcher.Device.Precision, sizes, o)).Forward(sizes, table, q, k, v, o, logSumExp);

    /// <inheritdoc/>
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
        Choose(RouteAttentionPlan.TakesTensorCores(launcher.Device.Precision, sizes, o, dq, dk, dv)).Backward(
            sizes, table, offsets, list, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);

    private IRouteAttentionKernels Choose(bool wanted)
    {
        if (!wanted)
        {
            return portable;
        }

        var precision = launcher.Device.Precision;
        var kernels = precision == Precision.Fp16 ? _fp16 : _bf16;
        string name = precision == Precision.Fp16 ? "route_attention.fp16" : "route_attention.bf16";
        string problem = $"{GridHeight} x {GridWidth} tokens in {Windows} x {Windows} windows, top {TopK}, {Heads} heads of 64";
        return gate.Allows(name, problem, CheckedAttention.Tolerance, () => Difference(kernels)) ? kernels : portable;
    }

    private double Difference(IRouteAttentionKernels tensorCores)
    {
        var sizes = new RouteSizes(1, Heads, TensorCoreTile.HeadDim, GridHeight, GridWidth, Windows, TopK, 0.125f);
        var device = launcher.Device;
        using var problem = new AttentionCheck(device, sizes.Tokens, Heads * TensorCoreTile.HeadDim, Heads);
        View table = problem.Keep(device.Empty(new Shape(sizes.Windows * sizes.TopK), DType.Int32));
        View offsets = problem.Keep(device.Empty(new Shape(sizes.Windows + 1), DType.Int32));
        View list = problem.Keep(device.Empty(new Shape(sizes.Windows * sizes.TopK), DType.Int32));
        portable.Route(sizes, problem.Q, problem.K, table, problem.Scratch);
        portable.Invert(sizes, table, offsets, list);
        return problem.Difference<IRouteAttentionKernels>(portable, tensorCores, (kernels, p) =>
        {
            kernels.Forward(sizes, table, p.Q, p.K, p.V, p.O, p.LogSumExp);
            kernels.Backward(sizes, table, offsets, list, p.Q, p.K, p.V, p.O, p.LogSumExp, p.Dout, p.Dq, p.Dk, p.Dv, p.Scratch);
        });
    }
}
