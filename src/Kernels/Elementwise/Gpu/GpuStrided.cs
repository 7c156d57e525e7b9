using ILGPU;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Gpu;

/// <summary>A merged dimension: its size and the operands' strides.</summary>
internal readonly struct StridedAxis
{
    internal int Size { get; init; }

    internal int A { get; init; }

    internal int B { get; init; }
}

/// <summary>Arguments of y (+)= f(a, b) for operands that are repeated or permuted; dimensions innermost first.</summary>
internal readonly struct StridedArgs
{
    internal ArrayView<float> A { get; init; }

    internal ArrayView<float> B { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal int Rank { get; init; }

    internal int Count { get; init; }

    /// <summary>1 to add to y.</summary>
    internal int Accumulate { get; init; }

    internal StridedAxis D0 { get; init; }

    internal StridedAxis D1 { get; init; }

    internal StridedAxis D2 { get; init; }

    internal StridedAxis D3 { get; init; }

    internal StridedAxis D4 { get; init; }

    internal StridedAxis D5 { get; init; }
}

/// <summary>
/// One thread an element of the result, which finds its operands by dividing its number by the merged dimensions' sizes, as many as there are.
/// Limited by memory while the innermost strides are 0 or 1; a transposed operand's lines are read through the first-level cache.
/// </summary>
internal static class GpuStrided
{
    internal static StridedArgs Args(GpuKernel kernel, View a, View b, View y, bool accumulate, in BroadcastLayout layout) => new()
    {
        A = a.GpuFloats,
        B = b.GpuFloats,
        Y = y.GpuFloats,
        Rank = layout.Rank,
        Count = GpuSizes.Index(layout.Count, kernel),
        Accumulate = accumulate ? 1 : 0,
        D0 = Axis(layout, 0),
        D1 = Axis(layout, 1),
        D2 = Axis(layout, 2),
        D3 = Axis(layout, 3),
        D4 = Axis(layout, 4),
        D5 = Axis(layout, 5),
    };

    internal static void Run<TFunction>(StridedArgs args)
        where TFunction : struct, IBinaryFunction
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Count)
        {
            int left = item, a = 0, b = 0;
            Step(args.D0, ref left, ref a, ref b);
            if (args.Rank > 1)
            {
                Step(args.D1, ref left, ref a, ref b);
                if (args.Rank > 2)
                {
                    Step(args.D2, ref left, ref a, ref b);
                    if (args.Rank > 3)
                    {
                        Step(args.D3, ref left, ref a, ref b);
                        Step(args.D4, ref left, ref a, ref b);
                        Step(args.D5, ref left, ref a, ref b);
                    }
                }
            }

            float value = TFunction.Value(args.A[a], args.B[b]);
            args.Y[item] = args.Accumulate != 0 ? args.Y[item] + value : value;
        }
    }

    private static void Step(StridedAxis axis, ref int left, ref int a, ref int b)
    {
        int next = left / axis.Size, index = left - (next * axis.Size);
        a += index * axis.A;
        b += index * axis.B;
        left = next;
    }

    // Dimensions that do not exist have one index.
    private static StridedAxis Axis(in BroadcastLayout layout, int fromInside)
    {
        int i = layout.Rank - 1 - fromInside;
        return i < 0
            ? new StridedAxis { Size = 1 }
            : new StridedAxis { Size = layout.Size(i), A = checked((int)layout.StrideA(i)), B = checked((int)layout.StrideB(i)) };
    }
}
