using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise;

/// <summary>CPU dispatch of the element-wise kernels.</summary>
internal sealed unsafe class CpuElementwise(CpuThreads threads) : IElementwiseKernels
{
    public void Add(View a, View b, View y, long count) => Run(new ElementwiseArguments { Kind = ElementwiseKind.Add, A = a.Floats, B = b.Floats, Y = y.Floats, Count = count });

    public void Scale(View x, float factor, View y, bool accumulate, long count) =>
        Run(new ElementwiseArguments { Kind = ElementwiseKind.Scale, A = x.Floats, B = x.Floats, Y = y.Floats, Factor = factor, Accumulate = accumulate, Count = count });

    public void ScaleByExp(View x, View s, float limit, View y, bool accumulate, long count) =>
        Scale(x, MathF.Min(MathF.Exp(s.Floats[0]), limit), y, accumulate, count);

    public void ScaleByExpGradient(View dy, View y, View s, float limit, View ds, bool accumulate, long count)
    {
        // A batch's squared number of similarities: one thread, in order.
        double sum = 0;
        if (MathF.Exp(s.Floats[0]) <= limit)
        {
            for (long i = 0; i < count; i++)
            {
                sum += (double)dy.Floats[i] * y.Floats[i];
            }
        }

        ds.Floats[0] = (accumulate ? ds.Floats[0] : 0) + (float)sum;
    }

    public void Multiply(View a, View b, View y, bool accumulate, long count) =>
        Run(new ElementwiseArguments { Kind = ElementwiseKind.Multiply, A = a.Floats, B = b.Floats, Y = y.Floats, Accumulate = accumulate, Count = count });

    public void Activate(View x, View y, Activation activation, long count) =>
        Run(new ElementwiseArguments { Kind = ElementwiseKind.Activate, A = x.Floats, B = x.Floats, Y = y.Floats, Activation = activation, Count = count });

    public void ActivateBackward(View x, View dy, View dx, Activation activation, bool accumulate, long count) => Run(new ElementwiseArguments
    {
        Kind = ElementwiseKind.ActivateBackward,
        A = x.Floats,
        B = dy.Floats,
        Y = dx.Floats,
        Activation = activation,
        Accumulate = accumulate,
        Count = count,
    });

    public void Dropout(View x, View y, float probability, ulong key, bool accumulate, long count)
    {
        var a = new DropoutArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Key = key,
            Threshold = DropoutMask.Threshold(probability),
            KeptScale = 1f / (1f - probability),
            Accumulate = accumulate,
            Count = count,
            Tiles = Tiling.Count(count, 4),
        };
        threads.For(a.Tiles, &a, &CpuDropout.Tile);
    }

    public void ColumnSums(View dy, View sums, int rows, int columns)
    {
        var a = new ColumnSumArguments { Dy = dy.Floats, Sums = sums.Floats, Rows = rows, Columns = columns };
        int tiles = (columns + CpuColumnSums<Simd128, Vector128<float>>.ColumnTile - 1) / CpuColumnSums<Simd128, Vector128<float>>.ColumnTile;
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(tiles, &a, &CpuColumnSums<Simd512, Vector512<float>>.Tile); break;
            case 256: threads.For(tiles, &a, &CpuColumnSums<Simd256, Vector256<float>>.Tile); break;
            default: threads.For(tiles, &a, &CpuColumnSums<Simd128, Vector128<float>>.Tile); break;
        }
    }

    public void Relationship(View t, View g, View y, int batch, int classes, int width)
    {
        var a = new RelationshipArguments { T = t.Floats, G = g.Floats, Y = y.Floats, Batch = batch, Classes = classes, Width = width };
        threads.For(batch, &a, &CpuRelationship.Forward);
    }

    public void RelationshipBackward(View t, View g, View dy, View dt, View dg, int batch, int classes, int width)
    {
        var a = new RelationshipArguments { T = t.Floats, G = g.Floats, Y = dy.Floats, Dt = dt.Floats, Dg = dg.Floats, Batch = batch, Classes = classes, Width = width };
        if (a.Dt != null)
        {
            threads.For(classes, &a, &CpuRelationship.TextGradient);
        }

        if (a.Dg != null)
        {
            threads.For(batch, &a, &CpuRelationship.ImageGradient);
        }
    }

    private void Run(ElementwiseArguments a)
    {
        a.Tiles = Tiling.Count(a.Count, 1);
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuElements<Simd512, Vector512<float>>.Tile); break;
            case 256: threads.For(a.Tiles, &a, &CpuElements<Simd256, Vector256<float>>.Tile); break;
            default: threads.For(a.Tiles, &a, &CpuElements<Simd128, Vector128<float>>.Tile); break;
        }
    }
}
