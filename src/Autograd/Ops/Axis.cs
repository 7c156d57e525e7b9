using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Axes as callers name them: negative ones count from the innermost.</summary>
internal static class Axis
{
    /// <summary>The axis as an index from the outermost on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The shape has no such axis.</exception>
    internal static int Of(string op, Shape shape, int axis)
    {
        if (shape.Rank == 0)
        {
            throw new ArgumentException($"{op}: expected at least 1 dimension for axis {axis}, got {shape}");
        }

        int index = axis < 0 ? shape.Rank + axis : axis;
        return index >= 0 && index < shape.Rank
            ? index
            : throw new ArgumentOutOfRangeException(null, $"{op}: axis must be {-shape.Rank}..{shape.Rank - 1}, got {axis} ({shape})");
    }

    /// <summary>Elements from one index of an axis to the next.</summary>
    internal static int Inner(Shape shape, int axis)
    {
        int inner = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            inner *= shape[i];
        }

        return inner;
    }

    /// <summary>How many indices the dimensions outside of an axis have together.</summary>
    internal static int Outer(Shape shape, int axis)
    {
        int outer = 1;
        for (int i = 0; i < axis; i++)
        {
            outer *= shape[i];
        }

        return outer;
    }

    /// <summary>The shape with another size along an axis.</summary>
    internal static Shape WithSize(Shape shape, int axis, int size)
    {
        Span<int> sizes = stackalloc int[shape.Rank];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = i == axis ? size : shape[i];
        }

        return new Shape(sizes);
    }

    /// <summary>Marks the axes that are named, all of them when none is; each may be named once.</summary>
    internal static void Mark(string op, Shape shape, ReadOnlySpan<int> axes, Span<bool> marked)
    {
        marked.Fill(axes.Length == 0);
        foreach (int axis in axes)
        {
            int index = Of(op, shape, axis);
            marked[index] = !marked[index] ? true : throw new ArgumentException($"{op}: axis {axis} is named twice ({shape})");
        }
    }

    /// <summary>The shape without the marked axes, or with them as ones.</summary>
    internal static Shape Reduced(Shape shape, ReadOnlySpan<bool> marked, bool keepDims)
    {
        Span<int> sizes = stackalloc int[shape.Rank];
        int rank = 0;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (!marked[i] || keepDims)
            {
                sizes[rank++] = marked[i] ? 1 : shape[i];
            }
        }

        return new Shape(sizes[..rank]);
    }
}
