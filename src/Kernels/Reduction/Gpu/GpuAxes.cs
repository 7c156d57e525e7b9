using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct AxisArgs
{
    /// <summary>[outer, length, inner].</summary>
    internal ArrayView<float> X { get; init; }

    /// <summary>[outer, parts, inner].</summary>
    internal ArrayView<float> Y { get; init; }

    internal int Length { get; init; }

    internal int Inner { get; init; }

    /// <summary>Groups that share an outer index's columns.</summary>
    internal int Across { get; init; }

    /// <summary>Logarithm of the columns of a group.</summary>
    internal int ColumnBits { get; init; }

    /// <summary>Elements of the middle dimension that a group takes; group (x, y) takes part y.</summary>
    internal int Part { get; init; }

    internal float Factor { get; init; }

    /// <summary>1 to add to y.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>How two values become one.</summary>
internal interface IAxisReducer
{
    static abstract float Start { get; }

    static abstract float Combine(float a, float b);
}

internal readonly struct SumReducer : IAxisReducer
{
    public static float Start => 0f;

    public static float Combine(float a, float b) => a + b;
}

internal readonly struct MaxReducer : IAxisReducer
{
    public static float Start => float.NegativeInfinity;

    // NaN in either is NaN: it is known by its bits, which are above infinity's. No comparison with it is true.
    public static float Combine(float a, float b) => b > a || (Interop.FloatAsInt(b) & 0x7FFFFFFFu) > 0x7F800000u ? b : a;
}

/// <summary>
/// Reductions over the middle dimension. A group has up to 32 columns and several threads a column, each of which takes every n-th element; a tree in
/// shared memory combines them. Where results are few and long, groups take parts of the dimension into scratch memory, and a second launch combines
/// the parts. 4 bytes an element: limited by memory.
/// </summary>
internal static class GpuAxes
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    internal static readonly GpuKernel<AxisArgs> Sum = Define<SumReducer>("sum_axis");
    internal static readonly GpuKernel<AxisArgs> Max = Define<MaxReducer>("max_axis");

    internal static void Run(
        GpuLauncher launcher, GpuKernel<AxisArgs> kernel, View x, View y, float factor, bool accumulate, int outer, int length, int inner)
    {
        GpuSizes.Index((long)outer * Math.Max(1, length) * inner, kernel);
        int bits = ReductionPlan.GpuColumnBits(inner), across = GpuSizes.Groups(inner, 1 << bits), groups = checked(outer * across);
        int part = ReductionPlan.GpuPart(length, bits, groups), parts = Math.Max(1, GpuSizes.Groups(length, part));
        var args = new AxisArgs
        {
            X = x.GpuFloats,
            Y = y.GpuFloats,
            Length = length,
            Inner = inner,
            Across = across,
            ColumnBits = bits,
            Part = part,
            Factor = factor,
            Accumulate = accumulate ? 1 : 0,
        };
        if (parts > 1)
        {
            var partial = launcher.Workspace.Floats((long)outer * parts * inner).GpuFloats;
            launcher.Launch(kernel, groups, parts, 1, args with { Y = partial, Factor = 1, Accumulate = 0 });
            args = args with { X = partial, Length = parts, Part = parts };
        }

        launcher.Launch(kernel, groups, args);
    }

    internal static void Reduce<TReducer>(AxisArgs args)
        where TReducer : struct, IAxisReducer
    {
        var shared = SharedMemory.Allocate1D<float>(GroupSize);
        int thread = Group.IdxX, columns = 1 << args.ColumnBits, lanes = Group.DimX >> args.ColumnBits;
        int outer = Grid.IdxX / args.Across, lane = thread >> args.ColumnBits;
        int column = ((Grid.IdxX - (outer * args.Across)) << args.ColumnBits) + (thread & (columns - 1));
        int end = IntrinsicMath.Min(args.Length, (Grid.IdxY + 1) * args.Part);
        float value = TReducer.Start;
        if (column < args.Inner)
        {
            for (int i = (Grid.IdxY * args.Part) + lane; i < end; i += lanes)
            {
                value = TReducer.Combine(value, args.X[(((outer * args.Length) + i) * args.Inner) + column]);
            }
        }

        shared[thread] = value;
        for (int half = lanes / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (lane < half)
            {
                shared[thread] = TReducer.Combine(shared[thread], shared[thread + (half << args.ColumnBits)]);
            }
        }

        if (lane == 0 && column < args.Inner)
        {
            int at = (((outer * Grid.DimY) + Grid.IdxY) * args.Inner) + column;
            float result = args.Factor * shared[thread];
            args.Y[at] = args.Accumulate != 0 ? args.Y[at] + result : result;
        }
    }

    private static GpuKernel<AxisArgs> Define<TReducer>(string name)
        where TReducer : struct, IAxisReducer =>
        new("reduction." + name, Reduce<TReducer>, GroupSize) { AnyGroup = true, SharedBytes = GroupSize * sizeof(float) };
}
