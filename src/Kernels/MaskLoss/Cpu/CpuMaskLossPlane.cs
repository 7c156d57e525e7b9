using System.Numerics;
using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MaskLoss.Cpu;

internal unsafe struct MaskLossArguments
{
    public MaskLossSizes Sizes;
    public float* Z;
    public void* Labels;
    public float* Sums;
    public float* Dz;
    public bool Accumulate;
    public float FocalScale;
    public float DiceScale;
}

/// <summary>
/// Loss sums and gradient of one plane, block by block (<see cref="CpuBilinearBlocks"/>): within a block, column vector by column vector, the two
/// stretched rows of logits stay in registers and each pixel's logit is one fused multiply-add.
/// </summary>
internal static unsafe class CpuMaskLossPlane<S, V, TLabel>
    where S : ISimd<V>
    where V : struct
    where TLabel : unmanaged, IBinaryInteger<TLabel>
{
    private const int Strip = CpuBilinearBlocks.Strip;

    /// <summary>
    /// The logit of columns beyond the image: sigmoid and loss vanish there, so that only whole vectors are needed; not so low that products
    /// become denormal numbers, which are slow.
    /// </summary>
    private const float Outside = -60f;

    internal static void Forward(MaskLossArguments* a, int tile, int worker)
    {
        var sizes = a->Sizes;
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        float* signs = stackalloc float[CpuBilinearBlocks.BlockRows * Strip];
        var blocks = new CpuBilinearBlocks(scratch, sizes.Height, sizes.Width, sizes.ImageHeight, sizes.ImageWidth);
        float* z = a->Z + ((long)tile * sizes.Height * sizes.Width);
        double positive = 0, probability = 0, focal = 0;
        long positives = 0;
        for (int start = 0; start < sizes.ImageWidth; start += Strip)
        {
            blocks.StartStrip(start);
            blocks.StartPlane(z, 0, sizes.ImageHeight, Outside);
            int columns = RoundUp(blocks.Columns);
            while (blocks.NextRows())
            {
                int count = FindPositives(a, tile, in blocks, signs);
                V focals, probabilities;
                if (count == 0)
                {
                    CpuMaskLossMath<S, V>.SumNegatives(
                        blocks.Lower, blocks.Upper, columns, blocks.Weights, blocks.Rows, out focals, out probabilities);
                    focal += (1.0 - sizes.Alpha) * S.Sum(focals);
                }
                else
                {
                    CpuMaskLossMath<S, V>.SumMixed(
                        blocks.Lower,
                        blocks.Upper,
                        columns,
                        blocks.Weights,
                        blocks.Rows,
                        signs,
                        Strip,
                        sizes.Alpha,
                        out focals,
                        out probabilities,
                        out V hits);
                    focal += S.Sum(focals);
                    positive += S.Sum(hits);
                    positives += count;
                }

                probability += S.Sum(probabilities);
            }
        }

        float* sums = a->Sums + (4L * tile);
        sums[0] = (float)positive;
        sums[1] = (float)probability;
        sums[2] = positives;
        sums[3] = (float)focal;
    }

    internal static void Backward(MaskLossArguments* a, int tile, int worker)
    {
        var sizes = a->Sizes;
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        float* signs = stackalloc float[CpuBilinearBlocks.BlockRows * Strip];
        float* gradients = stackalloc float[CpuBilinearGradient.ScratchFloats];
        var blocks = new CpuBilinearBlocks(scratch, sizes.Height, sizes.Width, sizes.ImageHeight, sizes.ImageWidth);
        long offset = (long)tile * sizes.Height * sizes.Width;
        if (!a->Accumulate)
        {
            new Span<float>(a->Dz + offset, sizes.Height * sizes.Width).Clear();
        }

        var slopes = MaskLossSlopes.Of(a, tile);
        for (int start = 0; start < sizes.ImageWidth; start += Strip)
        {
            blocks.StartStrip(start);
            blocks.StartPlane(a->Z + offset, 0, sizes.ImageHeight, Outside);
            int columns = RoundUp(blocks.Columns);
            var gradient = new CpuBilinearGradient(gradients, a->Dz + offset, sizes.Width);
            while (blocks.NextRows())
            {
                gradient.Enter(in blocks);
                if (slopes.Present && FindPositives(a, tile, in blocks, signs) > 0)
                {
                    CpuMaskLossMath<S, V>.SlopesMixed(
                        blocks.Lower, blocks.Upper, columns, blocks.Weights, blocks.Rows, signs, Strip, in slopes, gradient.Lower, gradient.Upper);
                }
                else
                {
                    CpuMaskLossMath<S, V>.SlopesNegatives(
                        blocks.Lower, blocks.Upper, columns, blocks.Weights, blocks.Rows, in slopes, gradient.Lower, gradient.Upper);
                }
            }

            gradient.Finish(in blocks);
        }
    }

    /// <summary>Number of pixels of the plane's class in the block; where there are any, signs [rows, Strip] is filled.</summary>
    private static int FindPositives(MaskLossArguments* a, int plane, in CpuBilinearBlocks blocks, float* signs)
    {
        int width = a->Sizes.ImageWidth;
        TLabel wanted = TLabel.CreateTruncating(plane % a->Sizes.Classes);
        TLabel* labels = (TLabel*)a->Labels + (((((long)(plane / a->Sizes.Classes) * a->Sizes.ImageHeight) + blocks.Row) * width) + blocks.Start);
        if (!CpuLabelMask.Contains(labels, width, blocks.Rows, blocks.Columns, wanted))
        {
            return 0;
        }

        int positives = 0;
        for (int row = 0; row < blocks.Rows; row++, labels += width, signs += Strip)
        {
            positives += CpuLabelMask.Signs(labels, blocks.Columns, wanted, signs);
            new Span<float>(signs + blocks.Columns, Strip - blocks.Columns).Fill(1f);
        }

        return positives;
    }

    private static int RoundUp(int columns) => (columns + S.Count - 1) / S.Count * S.Count;
}
