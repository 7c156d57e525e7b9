using System.Runtime.CompilerServices;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise;

/// <summary>
/// Where the elements of two operands lie for each element of a dense result, by NumPy's rules: shapes are compared from the innermost dimension on,
/// and a dimension of one, or one that is missing, repeats (stride 0). Dimensions that are walked as one are merged, so most layouts have one or two.
/// </summary>
internal readonly struct BroadcastLayout
{
    private readonly Axes _sizes;
    private readonly Axes _stridesA;
    private readonly Axes _stridesB;

    private BroadcastLayout(ReadOnlySpan<int> sizes, ReadOnlySpan<long> a, ReadOnlySpan<long> b)
    {
        Count = 1;
        foreach (int size in sizes)
        {
            Count *= size;
        }

        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 1)
            {
                continue;
            }

            int last = Rank - 1;
            if (last >= 0 && _stridesA[last] == a[i] * sizes[i] && _stridesB[last] == b[i] * sizes[i])
            {
                (_sizes[last], _stridesA[last], _stridesB[last]) = (_sizes[last] * sizes[i], a[i], b[i]);
            }
            else
            {
                (_sizes[Rank], _stridesA[Rank], _stridesB[Rank]) = (sizes[i], a[i], b[i]);
                Rank++;
            }
        }
    }

    /// <summary>Dimensions after merging; 0 for one element.</summary>
    internal int Rank { get; }

    /// <summary>Elements of the result.</summary>
    internal long Count { get; }

    /// <summary>Whether both operands are as dense as the result.</summary>
    internal bool IsDense => Rank == 0 || (Rank == 1 && _stridesA[0] == 1 && _stridesB[0] == 1);

    /// <summary>Operands of as many elements as the result.</summary>
    internal static BroadcastLayout Dense(long count)
    {
        Span<int> sizes = [checked((int)count)];
        Span<long> strides = [1];
        return new BroadcastLayout(sizes, strides, strides);
    }

    /// <summary>Operands that are repeated to a result's shape, which must be that of <see cref="Of(Shape, Shape, Shape)"/>'s caller.</summary>
    internal static BroadcastLayout Of(Shape result, Shape a, Shape b)
    {
        Span<int> sizes = stackalloc int[result.Rank];
        Span<long> stridesA = stackalloc long[result.Rank], stridesB = stackalloc long[result.Rank];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = result[i];
        }

        Strides(a, stridesA);
        Strides(b, stridesB);
        return new BroadcastLayout(sizes, stridesA, stridesB);
    }

    /// <summary>The first operand with its dimensions in another order: dimension i of the result is dimension axes[i] of x.</summary>
    internal static BroadcastLayout Permuted(Shape x, ReadOnlySpan<int> axes)
    {
        Span<int> sizes = stackalloc int[x.Rank];
        Span<long> from = stackalloc long[x.Rank], strides = stackalloc long[x.Rank];
        Strides(x, from);
        for (int i = 0; i < sizes.Length; i++)
        {
            // A dimension of one has no stride; it is left out.
            (sizes[i], strides[i]) = (x[axes[i]], from[axes[i]]);
        }

        return new BroadcastLayout(sizes, strides, strides);
    }

    /// <summary>Size of a merged dimension, outermost first.</summary>
    internal int Size(int dimension) => (int)_sizes[dimension];

    /// <summary>The first operand's elements from one index of a merged dimension to the next.</summary>
    internal long StrideA(int dimension) => _stridesA[dimension];

    /// <summary>The second operand's.</summary>
    internal long StrideB(int dimension) => _stridesB[dimension];

    private static void Strides(Shape shape, Span<long> strides)
    {
        long stride = 1;
        strides.Clear();
        for (int i = shape.Rank - 1, at = strides.Length - 1; i >= 0; i--, at--)
        {
            strides[at] = shape[i] == 1 ? 0 : stride;
            stride *= shape[i];
        }
    }

    [InlineArray(Shape.MaxRank)]
    private struct Axes
    {
        private long _first;
    }
}
