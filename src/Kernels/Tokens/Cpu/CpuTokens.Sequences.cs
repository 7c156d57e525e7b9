using Ldvc.Tensors;

namespace Ldvc.Kernels.Tokens.Cpu;

/// <summary>What is made of the movements of blocks: sequences that get other tokens, or lose their mean.</summary>
internal sealed unsafe partial class CpuTokens
{
    public void Splice(in SpliceSizes sizes, View x, View tokens, View y)
    {
        int batch = sizes.Batch, width = sizes.Width;
        long inStride = sizes.InStride, outStride = sizes.OutStride;
        if (sizes.Start > 0)
        {
            CopyBlocks(x, inStride, y, outStride, batch, (long)sizes.Start * width, false);
        }

        CopyBlocks(tokens, sizes.Own ? sizes.Block : 0, y.Shift((long)sizes.Start * width), outStride, batch, sizes.Block, false);
        if (sizes.Tail > 0)
        {
            CopyBlocks(
                x.Shift((long)(sizes.Start + sizes.Dropped) * width),
                inStride,
                y.Shift((long)(sizes.Start + sizes.Count) * width),
                outStride,
                batch,
                (long)sizes.Tail * width,
                false);
        }
    }

    public void SpliceBackward(in SpliceSizes sizes, View dy, View dx, bool accumulate, View dtokens, bool accumulateTokens, View scale = default)
    {
        int batch = sizes.Batch, width = sizes.Width;
        long outStride = sizes.OutStride;
        if (!dx.IsNone)
        {
            InputGradient(sizes, dy, dx, accumulate);
            if (!scale.IsNone)
            {
                reduction.GradientScale(dx, batch * sizes.InStride, scale);
            }
        }

        if (dtokens.IsNone)
        {
            return;
        }

        var added = dy.Shift((long)sizes.Start * width);
        if (sizes.Own)
        {
            CopyBlocks(added, outStride, dtokens, sizes.Block, batch, sizes.Block, accumulateTokens);
            return;
        }

        if (!accumulateTokens)
        {
            Clear(dtokens.Floats, sizes.Block);
        }

        SumBlocks(added, outStride, dtokens, batch, sizes.Block);
    }

    public void RemoveMean(View x, int xRow, View y, int yRow, View scratch, int batch, int tokens, int width)
    {
        long picture = (long)tokens * yRow;
        if (x != y)
        {
            CopyBlocks(x, xRow, y, yRow, batch * tokens, width, false);
        }

        float* mean = scratch.Floats;
        float factor = -1f / tokens;
        Clear(mean, (long)batch * width);
        SumBlocks(y, yRow, scratch, tokens, width, new BlockRepeat(batch, picture, width));
        for (long i = 0; i < (long)batch * width; i++)
        {
            mean[i] *= factor;
        }

        CopyBlocks(scratch, 0, y, yRow, tokens, width, true, new BlockRepeat(batch, width, picture));
    }

    private static void Clear(float* values, long count)
    {
        for (long i = 0; i < count; i++)
        {
            values[i] = 0;
        }
    }

    private void InputGradient(in SpliceSizes sizes, View dy, View dx, bool accumulate)
    {
        int batch = sizes.Batch, width = sizes.Width;
        long inStride = sizes.InStride, outStride = sizes.OutStride;
        if (sizes.Start > 0)
        {
            CopyBlocks(dy, outStride, dx, inStride, batch, (long)sizes.Start * width, accumulate);
        }

        if (sizes.Tail > 0)
        {
            CopyBlocks(
                dy.Shift((long)(sizes.Start + sizes.Count) * width),
                outStride,
                dx.Shift((long)(sizes.Start + sizes.Dropped) * width),
                inStride,
                batch,
                (long)sizes.Tail * width,
                accumulate);
        }

        // Dropped tokens influence nothing.
        for (int b = 0; b < batch && !accumulate; b++)
        {
            Clear(dx.Floats + (b * inStride) + ((long)sizes.Start * width), (long)sizes.Dropped * width);
        }
    }
}
