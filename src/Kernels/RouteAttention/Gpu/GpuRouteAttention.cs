using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention.Gpu;

/// <summary>
/// GPU dispatch of route attention. The tiles are plain attention's; only which tokens they meet differs, so nothing is gathered or copied.
/// </summary>
internal sealed class GpuRouteAttention(GpuLauncher launcher) : IRouteAttentionKernels
{
    internal static readonly GpuKernel<GpuRouteArguments> Pool = new("route_attention.pool", GpuRouteTable.Pool, RouteAttentionPlan.GpuTableThreads);

    internal static readonly GpuKernel<GpuRouteArguments> Choose =
        new("route_attention.choose", GpuRouteTable.Choose, RouteAttentionPlan.GpuTableThreads) { SharedBytes = GpuRouteTable.SharedBytes };

    internal static readonly GpuKernel<GpuRouteArguments> Inverse = new(
        "route_attention.invert", GpuRouteTable.Invert, RouteAttentionPlan.GpuTableThreads)
    { SharedBytes = GpuRouteTable.InvertSharedBytes };

    internal static readonly GpuAttentionKernelSet Kernels32 = new("route_attention", AttentionPlan.GpuRows,
        GpuAttentionForward.Run<GpuChosenWalk, GpuTile32>,
        GpuAttentionQueries.Run<GpuChosenWalk, GpuTile32>,
        GpuAttentionKeys.Run<GpuChoosersWalk, GpuTile32>);

    internal static readonly GpuAttentionKernelSet Kernels16 = new("route_attention", AttentionPlan.GpuFewRows,
        GpuAttentionForward.Run<GpuChosenWalk, GpuTile16>,
        GpuAttentionQueries.Run<GpuChosenWalk, GpuTile16>,
        GpuAttentionKeys.Run<GpuChoosersWalk, GpuTile16>);

    // What the catalog finds.
    internal static readonly GpuKernel[] All = [.. Kernels32.All, .. Kernels16.All];

    public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch)
    {
        var args = Table(sizes, table) with
        {
            Q = GpuAttentionArguments.Rows(q, sizes.Batch),
            K = GpuAttentionArguments.Rows(k, sizes.Batch),
            Means = scratch.GpuFloats
        };
        int windows = sizes.Batch * sizes.Windows;
        launcher.Launch(Pool, windows * GpuSizes.Groups(args.Width, RouteAttentionPlan.GpuTableThreads), 2, 1, args);
        launcher.Launch(Choose, windows, args);
    }

    public void Invert(in RouteSizes sizes, View table, View offsets, View list)
    {
        var args = Table(sizes, table) with { Offsets = offsets.GpuInts, List = list.GpuInts };
        launcher.Launch(Inverse, sizes.Batch * sizes.Windows, args);
    }

    public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var args = Arguments(sizes).With(q, k, v, o, logSumExp) with { Table = table.GpuInts };
        Launch(sizes, args, kernels => kernels.Forward);
    }

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
        var args = Arguments(sizes).With(q, k, v, o, logSumExp).WithGradients(dOut, dq, dk, dv, scratch) with
        {
            Table = table.GpuInts,
            Offsets = offsets.GpuInts,
            List = list.GpuInts,
        };
        launcher.Launch(GpuAttention.Delta, GpuSizes.Groups((long)sizes.Batch * sizes.Heads * sizes.Tokens, AttentionPlan.GpuDeltaRows), args);
        Launch(sizes, args, kernels => kernels.Queries);
        Launch(sizes, args, kernels => kernels.Keys);
    }

    // Views that a kernel does not use are the table's: every view must be some memory.
    private static GpuRouteArguments Table(in RouteSizes sizes, View table) => new()
    {
        Q = new GpuTokenRows(table.As(DType.Float32).GpuFloats, 0, 0),
        K = new GpuTokenRows(table.As(DType.Float32).GpuFloats, 0, 0),
        Means = table.As(DType.Float32).GpuFloats,
        Table = table.GpuInts,
        Offsets = table.GpuInts,
        List = table.GpuInts,
        Batch = sizes.Batch,
        Width = sizes.Heads * sizes.HeadDim,
        GridHeight = sizes.GridHeight,
        GridWidth = sizes.GridWidth,
        WindowHeight = sizes.WindowHeight,
        WindowWidth = sizes.WindowWidth,
        WindowColumns = sizes.WindowColumns,
        Windows = sizes.Windows,
        TopK = sizes.TopK,
    };

    /// <summary>Arguments without views.</summary>
    internal static GpuAttentionArguments Arguments(in RouteSizes sizes) => new()
    {
        Batch = sizes.Batch,
        Heads = sizes.Heads,
        Queries = sizes.Tokens,
        Keys = sizes.Tokens,
        Each = Math.Max(1, sizes.Tokens),
        HeadDim = sizes.HeadDim,
        Scale = sizes.Scale,
        GridHeight = sizes.GridHeight,
        GridWidth = sizes.GridWidth,
        WindowHeight = sizes.WindowHeight,
        WindowWidth = sizes.WindowWidth,
        WindowColumns = sizes.WindowColumns,
        Windows = sizes.Windows,
        TopK = sizes.TopK,
    };

    private void Launch(in RouteSizes sizes, in GpuAttentionArguments args, Func<GpuAttentionKernelSet, GpuKernel<GpuAttentionArguments>> choose)
    {
        int tokens = sizes.WindowHeight * sizes.WindowWidth;
        var kernels = RouteAttentionPlan.GpuTileRows(sizes) == Kernels16.Rows ? Kernels16 : Kernels32;
        int tilesPerWindow = GpuSizes.Groups(tokens, kernels.Rows), tiles = sizes.Windows * tilesPerWindow;
        launcher.Launch(
            choose(kernels), checked(args.Batch * args.Heads * tiles * args.Chunks), args with { Tiles = tiles, TilesPerWindow = tilesPerWindow });
    }
}
