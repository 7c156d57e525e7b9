using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Reductions over any set of axes, as reductions over the middle dimension of three: neighbouring axes that are both reduced or both kept become
/// one, and the groups are reduced from the innermost on. Most calls have one group, and no more than three exist.
/// </summary>
internal static class AxisReduction
{
    /// <summary>target (+)= factor * sum of x over the axes marked.</summary>
    internal static void Sum(KernelSet kernels, Tensor x, ReadOnlySpan<bool> reduced, Tensor target, float factor, bool accumulate) =>
        Run(kernels, x, reduced, target, factor, accumulate, largest: false);

    /// <summary>target = the largest of x over the axes marked.</summary>
    internal static void Max(KernelSet kernels, Tensor x, ReadOnlySpan<bool> reduced, Tensor target) =>
        Run(kernels, x, reduced, target, 1, false, largest: true);

    private static void Run(KernelSet kernels, Tensor x, ReadOnlySpan<bool> reduced, Tensor target, float factor, bool accumulate, bool largest)
    {
        if (target.Count == 0)
        {
            return;
        }

        Span<int> sizes = stackalloc int[Shape.MaxRank];
        Span<bool> marks = stackalloc bool[Shape.MaxRank];
        int groups = Groups(x.Shape, reduced, sizes, marks);
        Tensor? between = null;
        int g = LastMarked(marks, groups);
        if (g < 0)
        {
            kernels.Elementwise.Scale(x, factor, target, accumulate, x.Count);
        }

        try
        {
            while (g >= 0)
            {
                int outer = Product(sizes[..g]), length = sizes[g], inner = Product(sizes[(g + 1)..groups]);
                (sizes[g], marks[g]) = (1, false);
                int next = LastMarked(marks, g);

                // Freed when the loop ends, however it does; the one before it as soon as it has been read.
                using Tensor? source = between;
                between = next < 0 ? null : x.Device.Empty(new Shape(outer, inner));
                if (largest)
                {
                    kernels.Reduction.MaxAxis(source ?? x, between ?? target, outer, length, inner);
                }
                else
                {
                    kernels.Reduction.SumAxis(source ?? x, between ?? target, next < 0 ? factor : 1, next < 0 && accumulate, outer, length, inner);
                }

                g = next;
            }
        }
        finally
        {
            between?.Dispose();
        }
    }

    private static int Groups(Shape shape, ReadOnlySpan<bool> reduced, Span<int> sizes, Span<bool> marks)
    {
        int groups = 0;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (shape[i] == 1)
            {
                continue;
            }

            if (groups > 0 && marks[groups - 1] == reduced[i])
            {
                sizes[groups - 1] *= shape[i];
            }
            else
            {
                (sizes[groups], marks[groups]) = (shape[i], reduced[i]);
                groups++;
            }
        }

        return groups;
    }

    private static int LastMarked(ReadOnlySpan<bool> marks, int before)
    {
        int g = before - 1;
        while (g >= 0 && !marks[g])
        {
            g--;
        }

        return g;
    }

    private static int Product(ReadOnlySpan<int> sizes)
    {
        int product = 1;
        foreach (int size in sizes)
        {
            product *= size;
        }

        return product;
    }
}
