using System.Numerics;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MaskLoss.Cpu;

/// <summary>
/// CPU version of the fused mask loss: one tile is the plane of one (image, class), which sums into its own four numbers and writes its own
/// gradient, so the result does not depend on the number of threads. Scratch memory is a few KiB of stack per thread.
/// </summary>
internal sealed unsafe class CpuMaskLoss(CpuThreads threads) : IMaskLossKernels
{
    public void Forward(in MaskLossSizes sizes, View z, View labels, View sums, View loss)
    {
        int planes = sizes.Batch * sizes.Classes;
        var a = new MaskLossArguments { Sizes = sizes, Z = z.Floats, Labels = Address(labels), Sums = sums.Floats };
        if (LabelWidth.IsWide(labels))
        {
            SimdDispatch.For<ForwardPlane<int>, MaskLossArguments>(threads, planes, &a);
        }
        else
        {
            SimdDispatch.For<ForwardPlane<byte>, MaskLossArguments>(threads, planes, &a);
        }

        double focal = 0, dice = 0;
        for (int plane = 0; plane < planes; plane++)
        {
            float* sum = a.Sums + (4L * plane);
            focal += sum[3];
            if (sum[2] > 0)
            {
                dice += 1 - (((2.0 * sum[0]) + 1) / ((double)sum[1] + sum[2] + 1));
            }
        }

        int present = Present(a.Sums, planes);
        focal /= (double)sizes.ImageHeight * sizes.ImageWidth * present;
        dice /= present;
        loss.Floats[0] = (float)((sizes.FocalWeight * focal) + (sizes.DiceWeight * dice));
        loss.Floats[1] = (float)focal;
        loss.Floats[2] = (float)dice;
    }

    public void Backward(in MaskLossSizes sizes, View z, View labels, View sums, View lossGradient, View dz, bool accumulate)
    {
        int planes = sizes.Batch * sizes.Classes;
        int present = Present(sums.Floats, planes);
        var a = new MaskLossArguments
        {
            Sizes = sizes,
            Z = z.Floats,
            Labels = Address(labels),
            Sums = sums.Floats,
            Dz = dz.Floats,
            Accumulate = accumulate,
            FocalScale = (float)((double)lossGradient.Floats[0] * sizes.FocalWeight / ((double)sizes.ImageHeight * sizes.ImageWidth * present)),
            DiceScale = lossGradient.Floats[0] * sizes.DiceWeight / present,
        };
        if (LabelWidth.IsWide(labels))
        {
            SimdDispatch.For<BackwardPlane<int>, MaskLossArguments>(threads, planes, &a);
        }
        else
        {
            SimdDispatch.For<BackwardPlane<byte>, MaskLossArguments>(threads, planes, &a);
        }
    }

    private static void* Address(View labels) => LabelWidth.IsWide(labels) ? labels.Ints : labels.Bytes;

    /// <summary>n of method.md 7: (image, class) pairs with a positive pixel, at least 1.</summary>
    private static int Present(float* sums, int planes)
    {
        int present = 0;
        for (int plane = 0; plane < planes; plane++)
        {
            present += sums[(4L * plane) + 2] > 0 ? 1 : 0;
        }

        return Math.Max(1, present);
    }

    private readonly struct ForwardPlane<TLabel> : ITileKernel<MaskLossArguments>
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        public static void Tile<S, V>(MaskLossArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuMaskLossPlane<S, V, TLabel>.Forward(a, tile, worker);
    }

    private readonly struct BackwardPlane<TLabel> : ITileKernel<MaskLossArguments>
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        public static void Tile<S, V>(MaskLossArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuMaskLossPlane<S, V, TLabel>.Backward(a, tile, worker);
    }
}
