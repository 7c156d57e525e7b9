using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention.TensorCore;

/// <summary>
/// Queues route attention on the tensor cores. The routing itself stays in float32: which windows are chosen must not depend on the precision.
/// </summary>
internal sealed class TensorCoreRouteAttention(GpuLauncher launcher, GpuRouteAttention routes, DType half = DType.BFloat16) : IRouteAttentionKernels
{
    // Forward, queries, keys.
    private static readonly GpuKernel<TensorCoreAttentionArguments>[] s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    private readonly GpuKernel<TensorCoreAttentionArguments>[] _kernels = half == DType.Float16 ? s_fp16 : s_bf16;

    /// <inheritdoc/>
    public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch) => routes.Route(sizes, q, k, table, scratch);

    /// <inheritdoc/>
    public void Invert(in RouteSizes sizes, View table, View offsets, View list) => routes.Invert(sizes, table, offsets, list);

    /// <inheritdoc/>
    public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var common = GpuRouteAttention.Arguments(sizes).With(q, k, v, o, logSumExp) with { Table = table.GpuInts, TilesPerWindow = Tiles(sizes) };
        Launch(_kernels[0], sizes, TensorCoreAttention.Packed(launcher, half, common, q, k, v, null));
    }

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
        View scratch)
    {
        var common = GpuRouteAttention.Arguments(sizes).With(q, k, v, o, logSumExp).WithGradients(dOut, dq, dk, dv, scratch) with
        {
            Table = table.GpuInts,
            Offsets = offsets.GpuInts,
            List = list.GpuInts,
            TilesPerWindow = Tiles(sizes),
        };
        var args = TensorCoreAttention.Packed(launcher, half, common, q, k, v, dOut);
        TensorCoreAttentionDelta.Launch(launcher, args, half);
        Launch(_kernels[1], sizes, args);
        Launch(_kernels[2], sizes, args);
    }

    private static int Tiles(in RouteSizes sizes) => GpuSizes.Groups((long)sizes.WindowHeight * sizes.WindowWidth, TensorCoreTile.Rows);

    private static GpuKernel<TensorCoreAttentionArguments>[] Define<TFormat>()
        where TFormat : struct, IHalfFormat =>
    [
        One<TFormat>("forward", TensorCoreRouteForward.Run<GpuChosenWalk, TFormat>),
        One<TFormat>("queries", TensorCoreRouteBackward.Queries<GpuChosenWalk, TFormat>),
        One<TFormat>("keys", TensorCoreRouteBackward.Keys<GpuChoosersWalk, TFormat>),
    ];

    private static GpuKernel<TensorCoreAttentionArguments> One<TFormat>(string name, Action<TensorCoreAttentionArguments> method)
        where TFormat : struct, IHalfFormat => new($"route_attention.{TFormat.Name}_{name}", method, TensorCoreRouteForward.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreRouteForward.SharedChunks * 16,
            GroupsPerMultiprocessor = RouteAttentionPlan.TensorCoreGroups,
        };

    private void Launch(GpuKernel<TensorCoreAttentionArguments> kernel, in RouteSizes sizes, in TensorCoreAttentionArguments args) =>
        launcher.Launch(kernel, sizes.Windows * Tiles(sizes), GpuSizes.Groups(sizes.Heads, TensorCoreRouteForward.Warps), sizes.Batch, args);
}
