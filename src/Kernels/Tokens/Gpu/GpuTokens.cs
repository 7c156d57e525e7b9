using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Tokens.Gpu;

/// <summary>GPU dispatch of token movement: packs of four floats where all addresses, lengths and strides allow it.</summary>
internal sealed partial class GpuTokens(GpuLauncher launcher) : ITokenKernels
{
    private const int GroupSize = TokensPlan.GpuThreads;

    private static readonly GpuKernel<BlockArgs> s_copy4 = Define("tokens.copy_blocks.v4", GpuBlocks<Float4>.Copy);
    private static readonly GpuKernel<BlockArgs> s_copy1 = Define("tokens.copy_blocks", GpuBlocks<Float1>.Copy);
    private static readonly GpuKernel<BlockArgs> s_sum4 = Define("tokens.sum_blocks.v4", GpuBlocks<Float4>.Sum, 4);
    private static readonly GpuKernel<BlockArgs> s_sum1 = Define("tokens.sum_blocks", GpuBlocks<Float1>.Sum, 1);
    private static readonly GpuKernel<BlockArgs> s_gather4 = Define("tokens.gather.v4", GpuBlocks<Float4>.Gather);
    private static readonly GpuKernel<BlockArgs> s_gather1 = Define("tokens.gather", GpuBlocks<Float1>.Gather);
    private static readonly GpuKernel<BlockArgs> s_scatter4 = Define("tokens.scatter_add.v4", GpuBlocks<Float4>.Scatter);
    private static readonly GpuKernel<BlockArgs> s_scatter1 = Define("tokens.scatter_add", GpuBlocks<Float1>.Scatter);
    private static readonly GpuKernel<LogMeanExpArgs> s_logMeanExp = new("tokens.log_mean_exp", GpuLogMeanExp.Forward, GroupSize) { AnyGroup = true };
    private static readonly GpuKernel<LogMeanExpArgs> s_logMeanExpGradient = new(
        "tokens.log_mean_exp_gradient", GpuLogMeanExp.Backward, GroupSize)
    { AnyGroup = true };
    private static readonly GpuKernel<PatchArgs> s_patchify4 = new("tokens.patchify.v4", GpuPatches<Float4>.Run, GroupSize) { AnyGroup = true };
    private static readonly GpuKernel<PatchArgs> s_patchify1 = new("tokens.patchify", GpuPatches<Float1>.Run, GroupSize) { AnyGroup = true };

    public void CopyBlocks(
        View source, long sourceStride, View target, long targetStride, int blocks, long length, bool accumulate, BlockRepeat repeat = default)
    {
        int pack = GpuSizes.CanPack(source.Offset, sourceStride, target.Offset, targetStride, length, repeat.SourceStep, repeat.TargetStep) ? 4 : 1;
        var kernel = pack == 4 ? s_copy4 : s_copy1;
        launcher.LaunchItems(
            kernel, repeat.Count * blocks * length / pack,
            Blocks(source, sourceStride, target, targetStride, blocks, length, repeat, pack, kernel) with { Accumulate = accumulate ? 1 : 0 });
    }

    public void SumBlocks(View source, long sourceStride, View target, int blocks, long length, BlockRepeat repeat = default)
    {
        int pack = GpuSizes.CanPack(source.Offset, sourceStride, target.Offset, length, repeat.SourceStep, repeat.TargetStep) ? 4 : 1;
        var kernel = pack == 4 ? s_sum4 : s_sum1;
        for (int first = 0; first < repeat.Count; first += GpuSizes.MaxGrid)
        {
            var part = new BlockRepeat(Math.Min(GpuSizes.MaxGrid, repeat.Count - first), repeat.SourceStep, repeat.TargetStep);
            View from = source.Shift(first * repeat.SourceStep), to = target.Shift(first * repeat.TargetStep);
            launcher.Launch(
                kernel, GpuSizes.Groups((int)(length / pack), TokensPlan.GpuSumColumns), part.Count, 1,
                Blocks(from, sourceStride, to, 0, blocks, length, part, pack, kernel));
        }
    }

    public void LogMeanExp(View x, View y, int batch, int tokens, int width, float sharpness)
    {
        GpuSizes.Index((long)batch * tokens * width, s_logMeanExp);
        launcher.LaunchItems(s_logMeanExp, batch * width, new LogMeanExpArgs
        {
            X = x.GpuFloats,
            Y = y.GpuFloats,
            Dy = y.GpuFloats,
            Dx = y.GpuFloats,
            Batch = batch,
            Tokens = tokens,
            Width = width,
            Sharpness = sharpness,
        });
    }

    public void LogMeanExpGradient(View x, View y, View dy, View dx, bool accumulate, int batch, int tokens, int width, float sharpness) =>
        launcher.LaunchItems(s_logMeanExpGradient, GpuSizes.Index((long)batch * tokens * width, s_logMeanExpGradient), new LogMeanExpArgs
        {
            X = x.GpuFloats,
            Y = y.GpuFloats,
            Dy = dy.GpuFloats,
            Dx = dx.GpuFloats,
            Batch = batch,
            Tokens = tokens,
            Width = width,
            Sharpness = sharpness,
            Accumulate = accumulate ? 1 : 0,
        });

    public void Gather(View table, View indices, View y, int count, int columns)
    {
        int pack = GpuSizes.CanPack(table.Offset, y.Offset, columns) ? 4 : 1;
        var kernel = pack == 4 ? s_gather4 : s_gather1;
        GpuSizes.Index((long)count * columns, kernel);
        launcher.LaunchItems(kernel, (long)count * columns / pack, Rows(table, indices, y, count, columns / pack));
    }

    public void ScatterAdd(View dy, View indices, View dtable, int count, int columns)
    {
        int pack = GpuSizes.CanPack(dy.Offset, dtable.Offset, columns) ? 4 : 1;
        var kernel = pack == 4 ? s_scatter4 : s_scatter1;
        GpuSizes.Index((long)count * columns, kernel);
        launcher.Launch(kernel, count, Rows(dy, indices, dtable, count, columns / pack));
    }

    public void Patchify(View image, View patches, int batch, int channels, int height, int width, int patch)
    {
        int pack = GpuSizes.CanPack(image.Offset, patches.Offset, width, patch) ? 4 : 1;
        var kernel = pack == 4 ? s_patchify4 : s_patchify1;
        GpuSizes.Index((long)batch * channels * height * width, kernel);
        int items = batch * (height / patch) * (width / patch) * channels * patch * patch / pack;
        launcher.LaunchItems(kernel, items, new PatchArgs
        {
            Image = image.GpuFloats,
            Patches = patches.GpuFloats,
            Channels = channels,
            Height = height,
            Width = width / pack,
            Patch = patch,
            PatchWidth = patch / pack,
            Items = items,
        });
    }

    private static BlockArgs Blocks(
        View source, long sourceStride, View target, long targetStride, int blocks, long length, BlockRepeat repeat, int pack, GpuKernel kernel)
    {
        long Reach(long step, long stride) => (Math.Max(0, repeat.Count - 1) * step) + (Math.Max(0, blocks - 1) * stride) + length;
        GpuSizes.Index(Math.Max(Reach(repeat.SourceStep, sourceStride), Reach(repeat.TargetStep, targetStride)), kernel);
        return new BlockArgs
        {
            Source = source.GpuFloats,
            Target = target.GpuFloats,
            Indices = source.As(DType.Int32).GpuInts,
            SourceStride = (int)(sourceStride / pack),
            TargetStride = (int)(targetStride / pack),
            SourceStep = (int)(repeat.SourceStep / pack),
            TargetStep = (int)(repeat.TargetStep / pack),
            Times = repeat.Count,
            Blocks = blocks,
            Length = (int)(length / pack),
        };
    }

    private static BlockArgs Rows(View source, View indices, View target, int rows, int length) => new()
    {
        Source = source.GpuFloats,
        Target = target.GpuFloats,
        Indices = indices.GpuInts,
        Blocks = rows,
        Length = length,
    };

    private static GpuKernel<BlockArgs> Define(string name, Action<BlockArgs> method, int sharedFloats = 0) => new(name, method, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sharedFloats * sizeof(float),
    };
}
