using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention.TensorCore;

/// <summary>Queues route attention on the tensor cores. The routing itself stays in float32: which windows are chosen must not depend on the precision.</summary>
internal sealed class TensorCoreRouteAttention(GpuLauncher launcher, GpuRouteAttention routes) : IRouteAttentionKernels
{
    internal static readonly GpuKernel<TensorCoreAttentionArguments> ForwardKernel = Define("forward", TensorCoreRouteForward.Run<GpuChosenWalk>);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> QueriesKernel = Define("queries", TensorCoreRouteBackward.Queries<GpuChosenWalk>);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> KeysKernel = Define("keys", TensorCoreRouteBackward.Keys<GpuChoosersWalk>);

    /// <inheritdoc/>
    public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch) => routes.Route(sizes, q, k, table, scratch);

    /// <inheritdoc/>
    public void Invert(in RouteSizes sizes, View table, View offsets, View list) => routes.Invert(sizes, table, offsets, list);

    /// <inheritdoc/>
    public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var common = GpuRouteAttention.Arguments(sizes).With(q, k, v, o, logSumExp) with { Table = table.GpuInts, TilesPerWindow = Tiles(sizes) };
        Launch(ForwardKernel, sizes, TensorCoreAttention.Packed(launcher, common, q, k, v, null));
    }

    /// <inheritdoc/>
    public void Backward(
        in RouteSizes sizes, View table, View offsets, View list, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch)
    {
        var common = GpuRouteAttention.Arguments(sizes).With(q, k, v, o, logSumExp).WithGradients(dOut, dq, dk, dv, scratch) with
        {
            Table = table.GpuInts,
            Offsets = offsets.GpuInts,
            List = list.GpuInts,
            TilesPerWindow = Tiles(sizes),
        };
        var args = TensorCoreAttention.Packed(launcher, common, q, k, v, dOut);
        TensorCoreAttentionDelta.Launch(launcher, args);
        Launch(QueriesKernel, sizes, args);
        Launch(KeysKernel, sizes, args);
    }

    private static int Tiles(in RouteSizes sizes) => GpuSizes.Groups((long)sizes.WindowHeight * sizes.WindowWidth, TensorCoreTile.Rows);

    private static GpuKernel<TensorCoreAttentionArguments> Define(string name, Action<TensorCoreAttentionArguments> method) =>
        new("route_attention.bf16_" + name, method, TensorCoreRouteForward.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreRouteForward.SharedChunks * 16,
            GroupsPerMultiprocessor = 4,
        };

    private void Launch(GpuKernel<TensorCoreAttentionArguments> kernel, in RouteSizes sizes, in TensorCoreAttentionArguments args) =>
        launcher.Launch(kernel, sizes.Windows * Tiles(sizes), GpuSizes.Groups(sizes.Heads, TensorCoreRouteForward.Warps), sizes.Batch, args);
}
