using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Elementwise.Gpu;

internal readonly struct RelationshipArgs
{
    internal ArrayView<float> T { get; init; }

    internal ArrayView<float> G { get; init; }

    /// <summary>y in the forward, dy in the backward: [B, C, 2E].</summary>
    internal ArrayView<float> Y { get; init; }

    /// <summary>dt [C, E] or dg [B, E], added to.</summary>
    internal ArrayView<float> Gradient { get; init; }

    internal int Batch { get; init; }

    internal int Classes { get; init; }

    internal int Width { get; init; }
}

/// <summary>[ t * g ; t ] (method.md 4) and its gradients: one thread an output, sums over batch or classes in order. Limited by memory.</summary>
internal static class GpuRelationship
{
    private const int GroupSize = ElementwisePlan.GpuThreads;

    internal static readonly GpuKernel<RelationshipArgs> Forward = new("elementwise.relationship", RunForward, GroupSize) { AnyGroup = true };
    internal static readonly GpuKernel<RelationshipArgs> Text = new("elementwise.relationship_text", RunText, GroupSize) { AnyGroup = true };
    internal static readonly GpuKernel<RelationshipArgs> Image = new("elementwise.relationship_image", RunImage, GroupSize) { AnyGroup = true };

    /// <summary>Item (b, c, i).</summary>
    internal static void RunForward(RelationshipArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX, width = args.Width;
        if (item < args.Batch * args.Classes * width)
        {
            int pair = item / width, i = item - (pair * width), b = pair / args.Classes, c = pair - (b * args.Classes);
            float t = args.T[(c * width) + i];
            int at = (pair * 2 * width) + i;
            args.Y[at] = t * args.G[(b * width) + i];
            args.Y[at + width] = t;
        }
    }

    /// <summary>Item (c, i).</summary>
    internal static void RunText(RelationshipArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX, width = args.Width;
        if (item < args.Classes * width)
        {
            int c = item / width, i = item - (c * width);
            float sum = args.Gradient[item];
            for (int b = 0; b < args.Batch; b++)
            {
                int at = (((b * args.Classes) + c) * 2 * width) + i;
                sum += (args.Y[at] * args.G[(b * width) + i]) + args.Y[at + width];
            }

            args.Gradient[item] = sum;
        }
    }

    /// <summary>Item (b, i).</summary>
    internal static void RunImage(RelationshipArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX, width = args.Width;
        if (item < args.Batch * width)
        {
            int b = item / width, i = item - (b * width);
            float sum = args.Gradient[item];
            for (int c = 0; c < args.Classes; c++)
            {
                sum += args.Y[(((b * args.Classes) + c) * 2 * width) + i] * args.T[(c * width) + i];
            }

            args.Gradient[item] = sum;
        }
    }
}
