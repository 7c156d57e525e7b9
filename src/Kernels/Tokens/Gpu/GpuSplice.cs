using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens.Gpu;

/// <summary>A splice; widths count packs of the kernel's type.</summary>
internal readonly struct SpliceArgs
{
    /// <summary>x in the forward, dx in the backward.</summary>
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Tokens { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal int Batch { get; init; }

    internal int Length { get; init; }

    internal int After { get; init; }

    internal int Width { get; init; }

    internal int Start { get; init; }

    internal int Dropped { get; init; }

    internal int Count { get; init; }

    /// <summary>Packs from one sequence's tokens to the next one's: 0 where they are shared.</summary>
    internal int TokenStride { get; init; }

    /// <summary>Packs of y in the forward; of dx in the backward, 0 where it is absent.</summary>
    internal int Items { get; init; }

    /// <summary>Packs of dtokens; 0 where it is absent.</summary>
    internal int TokenItems { get; init; }

    /// <summary>1 to add to dx.</summary>
    internal int Accumulate { get; init; }

    /// <summary>1 to add to dtokens.</summary>
    internal int AccumulateTokens { get; init; }

    /// <summary>Where the scale of dx goes, for the kernels that find one.</summary>
    internal ScaleOfGrid Scale { get; init; }
}

/// <summary>
/// Tokens put into sequences, and the gradients, in one launch each: a thread a pack of what is written, neighbours beside each other. 8 bytes a
/// float, 12 where a gradient is added to: limited by memory.
/// </summary>
internal static class GpuSplice<T>
    where T : unmanaged, IPack<T>
{
    internal static void Forward(SpliceArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Items)
        {
            int row = item / args.Width, column = item - (row * args.Width), b = row / args.After, token = row - (b * args.After),
                added = token - args.Start;
            var x = args.X.Cast<T>();
            var tokens = args.Tokens.Cast<T>();
            int from = token < args.Start ? token : token - args.Count + args.Dropped;
            args.Y.Cast<T>()[item] = added >= 0 && added < args.Count
                ? tokens[(b * args.TokenStride) + (added * args.Width) + column]
                : x[(((b * args.Length) + from) * args.Width) + column];
        }
    }

    /// <summary>First the packs of dx, then those of dtokens.</summary>
    internal static void Backward(SpliceArgs args) => BackwardOf(args, (Grid.IdxX * Group.DimX) + Group.IdxX);

    /// <summary>The same in groups that stride through the packs together, and the scale of dx.</summary>
    internal static void BackwardWithScale(SpliceArgs args)
    {
        int largest = 0;
        uint items = (uint)(args.Items + args.TokenItems), stride = (uint)(Grid.DimX * Group.DimX);
        for (uint item = (uint)((Grid.IdxX * Group.DimX) + Group.IdxX); item < items; item += stride)
        {
            largest = T.Larger(largest, BackwardOf(args, (int)item));
        }

        args.Scale.Finish(largest);
    }

    /// <summary>Writes a pack; returns it where it is one of dx, else zeros.</summary>
    private static T BackwardOf(SpliceArgs args, int item)
    {
        var dy = args.Y.Cast<T>();
        var value = T.Fill(0f);
        if (item < args.Items)
        {
            int row = item / args.Width, column = item - (row * args.Width), b = row / args.Length, token = row - (b * args.Length),
                behind = token - args.Start - args.Dropped;
            var dx = args.X.Cast<T>();
            if (token < args.Start || behind >= 0)
            {
                int from = token < args.Start ? token : args.Start + args.Count + behind;
                value = dy[(((b * args.After) + from) * args.Width) + column];
            }

            value = args.Accumulate != 0 ? T.Add(dx[item], value) : value;
            dx[item] = value;
        }
        else if (item < args.Items + args.TokenItems)
        {
            int at = item - args.Items, each = args.Count * args.Width, first = at / each, i = at - (first * each);
            int end = args.TokenStride == 0 ? args.Batch : first + 1;
            var dtokens = args.Tokens.Cast<T>();
            var sum = T.Fill(0f);
            for (int b = first; b < end; b++)
            {
                sum = T.Add(sum, dy[(((b * args.After) + args.Start) * args.Width) + i]);
            }

            dtokens[at] = args.AccumulateTokens != 0 ? T.Add(dtokens[at], sum) : sum;
        }

        return value;
    }
}
