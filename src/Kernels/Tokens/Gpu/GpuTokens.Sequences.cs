using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Reduction.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Tokens.Gpu;

/// <summary>Sequences that get other tokens, or lose their mean.</summary>
internal sealed partial class GpuTokens
{
    private static readonly GpuKernel<SpliceArgs> s_splice4 = new("tokens.splice.v4", GpuSplice<Float4>.Forward, GroupSize) { AnyGroup = true };
    private static readonly GpuKernel<SpliceArgs> s_splice1 = new("tokens.splice", GpuSplice<Float1>.Forward, GroupSize) { AnyGroup = true };
    private static readonly GpuKernel<SpliceArgs> s_spliceBackward4 = new(
        "tokens.splice_backward.v4", GpuSplice<Float4>.Backward, GroupSize)
    { AnyGroup = true };
    private static readonly GpuKernel<SpliceArgs> s_spliceBackward1 = new(
        "tokens.splice_backward", GpuSplice<Float1>.Backward, GroupSize)
    { AnyGroup = true };
    private static readonly GpuKernel<SpliceArgs> s_spliceScale4 = DefineScale(
        "tokens.splice_backward_scale.v4", GpuSplice<Float4>.BackwardWithScale);
    private static readonly GpuKernel<SpliceArgs> s_spliceScale1 = DefineScale("tokens.splice_backward_scale", GpuSplice<Float1>.BackwardWithScale);
    private static readonly GpuKernel<MeanArgs> s_removeMean4 = DefineMean("tokens.remove_mean.v4", GpuMeans<Float4>.Remove, 4);
    private static readonly GpuKernel<MeanArgs> s_removeMean1 = DefineMean("tokens.remove_mean", GpuMeans<Float1>.Remove, 1);

    public void Splice(in SpliceSizes sizes, View x, View tokens, View y)
    {
        int pack = GpuSizes.CanPack(x.Offset, tokens.Offset, y.Offset, sizes.Width) ? 4 : 1;
        var args = Args(sizes, x, tokens, y, pack, s_splice1) with { Items = (int)(sizes.Batch * sizes.OutStride / pack) };
        launcher.LaunchItems(pack == 4 ? s_splice4 : s_splice1, args.Items, args);
    }

    public void SpliceBackward(in SpliceSizes sizes, View dy, View dx, bool accumulate, View dtokens, bool accumulateTokens, View scale = default)
    {
        int pack = GpuSizes.CanPack(dy.Offset, dx.Offset, dtokens.Offset, sizes.Width) ? 4 : 1;
        long tokenFloats = dtokens.IsNone ? 0 : sizes.Block * (sizes.Own ? sizes.Batch : 1);
        var args = Args(sizes, dx.IsNone ? dy : dx, dtokens.IsNone ? dy : dtokens, dy, pack, s_spliceBackward1) with
        {
            Items = dx.IsNone ? 0 : (int)(sizes.Batch * sizes.InStride / pack),
            TokenItems = (int)(tokenFloats / pack),
            Accumulate = accumulate ? 1 : 0,
            AccumulateTokens = accumulateTokens ? 1 : 0,
        };
        int items = GpuSizes.Index((long)args.Items + args.TokenItems, s_spliceBackward1);
        bool finds = !scale.IsNone && !dx.IsNone, joins = finds && ScaleOfGrid.Works(launcher);
        if (joins)
        {
            args = args with { Scale = ScaleOfGrid.Of(launcher, scale) };
            launcher.Launch(pack == 4 ? s_spliceScale4 : s_spliceScale1, TokensPlan.GpuScaleGroups(items), args);
            return;
        }

        launcher.LaunchItems(pack == 4 ? s_spliceBackward4 : s_spliceBackward1, items, args);
        if (finds)
        {
            GpuGradientScale.Launch(launcher, dx, sizes.Batch * sizes.InStride, scale);
        }
    }

    public void RemoveMean(View x, int xRow, View y, int yRow, View scratch, int batch, int tokens, int width)
    {
        int pack = GpuSizes.CanPack(x.Offset, xRow, y.Offset, yRow, width) ? 4 : 1;
        GpuSizes.Index((long)batch * tokens * Math.Max(xRow, yRow), s_removeMean1);
        for (int first = 0; first < batch; first += GpuSizes.MaxGrid)
        {
            View from = x.Shift((long)first * tokens * xRow), to = y.Shift((long)first * tokens * yRow);
            int across = GpuSizes.Groups(width / pack, TokensPlan.GpuMeanColumns), count = Math.Min(GpuSizes.MaxGrid, batch - first);
            launcher.Launch(
                pack == 4 ? s_removeMean4 : s_removeMean1, across, count, 1,
                new MeanArgs { X = from.GpuFloats, Y = to.GpuFloats, Tokens = tokens, XRow = xRow / pack, YRow = yRow / pack, Width = width / pack });
        }
    }

    private static SpliceArgs Args(in SpliceSizes sizes, View x, View tokens, View y, int pack, GpuKernel kernel)
    {
        GpuSizes.Index((long)sizes.Batch * Math.Max(sizes.InStride, sizes.OutStride), kernel);
        return new SpliceArgs
        {
            X = x.GpuFloats,
            Tokens = tokens.GpuFloats,
            Y = y.GpuFloats,
            Batch = sizes.Batch,
            Length = sizes.Length,
            After = sizes.After,
            Width = sizes.Width / pack,
            Start = sizes.Start,
            Dropped = sizes.Dropped,
            Count = sizes.Count,
            TokenStride = sizes.Own ? (int)(sizes.Block / pack) : 0,
            Scale = ScaleOfGrid.None(y),
        };
    }

    private static GpuKernel<SpliceArgs> DefineScale(string name, Action<SpliceArgs> method) =>
        new(name, method, GroupSize) { AnyGroup = true, SharedBytes = GroupSize * sizeof(int), CudaOnly = true };

    private static GpuKernel<MeanArgs> DefineMean(string name, Action<MeanArgs> method, int floats) =>
        new(name, method, GroupSize) { AnyGroup = true, SharedBytes = GroupSize * floats * sizeof(float) };
}
