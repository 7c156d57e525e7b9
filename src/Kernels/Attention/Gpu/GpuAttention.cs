using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>GPU dispatch of attention, in the tiles of <see cref="AttentionPlan"/>.</summary>
internal sealed class GpuAttention(GpuLauncher launcher) : IAttentionKernels
{
    internal static readonly GpuKernel<GpuAttentionArguments> Delta =
        new("attention.delta", GpuAttentionDelta.Run, GpuAttentionDelta.Threads) { SharedBytes = GpuAttentionDelta.SharedBytes };

    internal static readonly GpuAttentionKernelSet Kernels32 = new("attention", AttentionPlan.GpuRows,
        GpuAttentionForward.Run<GpuKeysWalk, GpuTile32>,
        GpuAttentionQueries.Run<GpuKeysWalk, GpuTile32>,
        GpuAttentionKeys.Run<GpuQueriesWalk, GpuTile32>);

    internal static readonly GpuAttentionKernelSet Kernels16 = new("attention", AttentionPlan.GpuFewRows,
        GpuAttentionForward.Run<GpuKeysWalk, GpuTile16>,
        GpuAttentionQueries.Run<GpuKeysWalk, GpuTile16>,
        GpuAttentionKeys.Run<GpuQueriesWalk, GpuTile16>);

    // What the catalog finds.
    internal static readonly GpuKernel[] All = [.. Kernels32.All, .. Kernels16.All];

    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var args = Arguments(launcher, sizes, q, k, v, o, logSumExp);
        Launch(sizes.Queries, args, kernels => kernels.Forward);
    }

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
        View scratch)
    {
        var args = Arguments(launcher, sizes, q, k, v, o, logSumExp).WithGradients(dOut, dq, dk, dv, scratch);
        launcher.Launch(Delta, GpuSizes.Groups((long)sizes.Batch * sizes.Heads * sizes.Queries, AttentionPlan.GpuDeltaRows), args);
        Launch(sizes.Queries, args, kernels => kernels.Queries);
        Launch(sizes.Keys, args, kernels => kernels.Keys);
    }

    /// <summary>Arguments of a forward.</summary>
    internal static GpuAttentionArguments Arguments(
        GpuLauncher launcher, in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
        new GpuAttentionArguments
        {
            Batch = sizes.Batch,
            Heads = sizes.Heads,
            Queries = sizes.Queries,
            Keys = sizes.Keys,
            HeadDim = sizes.HeadDim,
            Scale = sizes.Scale,
            Causal = sizes.Causal ? 1 : 0,
            Shared = sizes.Shared,
            Each = sizes.Each > 0 ? sizes.Each : Math.Max(1, sizes.Queries),
            Drops = sizes.Dropout > 0 ? 1 : 0,
            Threshold = DropoutMask.Threshold(sizes.Dropout),
            KeptScale = 1f / (1f - sizes.Dropout),
            Key = GpuDropoutKey.Of(launcher, sizes.DropoutKey),
            DropoutFirst = sizes.DropoutFirst,
        }.With(q, k, v, o, logSumExp);

    private void Launch(int tokens, in GpuAttentionArguments args, Func<GpuAttentionKernelSet, GpuKernel<GpuAttentionArguments>> choose)
    {
        var kernels = AttentionPlan.GpuTileRows(tokens) == Kernels16.Rows ? Kernels16 : Kernels32;
        int tiles = GpuSizes.Groups(tokens, kernels.Rows);
        launcher.Launch(choose(kernels), checked(args.Batch * args.Heads * tiles * args.Chunks), args with { Tiles = tiles });
    }
}
