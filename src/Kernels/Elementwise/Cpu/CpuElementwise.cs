using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Cpu;

/// <summary>CPU dispatch of the element-wise kernels.</summary>
internal sealed unsafe class CpuElementwise(CpuThreads threads) : IElementwiseKernels
{
    public void Add(View a, View b, View y, long count) => Run<BinaryStep<Add>>(a, b, y, 0, false, count);

    public void Scale(View x, float factor, View y, bool accumulate, long count) => Run<ScaleStep>(x, x, y, factor, accumulate, count);

    public void Fill(View y, float value, long count) => Run<FillStep>(y, y, y, value, false, count);

    public void Unary<TFunction>(View x, View y, long count)
        where TFunction : struct, IUnaryFunction =>
        Run<UnaryStep<TFunction>>(x, x, y, 0, false, count);

    public void UnaryBackward<TFunction>(View x, View dy, View dx, bool accumulate, long count)
        where TFunction : struct, IUnaryFunction
    {
        if (typeof(TFunction) == typeof(Relu))
        {
            Run<ReluSlopeStep>(x, dy, dx, 0, accumulate, count);
            return;
        }

        Run<SlopeStep<TFunction>>(x, dy, dx, 0, accumulate, count);
    }

    public void Binary<TFunction>(View a, View b, View y, bool accumulate, in BroadcastLayout layout)
        where TFunction : struct, IBinaryFunction
    {
        if (layout.IsDense)
        {
            Run<BinaryStep<TFunction>>(a, b, y, 0, accumulate, layout.Count);
            return;
        }

        var arguments = new StridedArguments
        {
            A = a.Floats,
            B = b.Floats,
            Y = y.Floats,
            Layout = layout,
            Accumulate = accumulate,
            Tiles = Tiling.Count(layout.Count, 1)
        };
        SimdDispatch.For<CpuStrided<TFunction>, StridedArguments>(threads, arguments.Tiles, &arguments);
    }

    public void ScaleByExp(View x, View s, float limit, View y, bool accumulate, long count) =>
        Scale(x, MathF.Min(MathF.Exp(s.Floats[0]), limit), y, accumulate, count);

    public void ScaleByExpGradient(View dy, View y, View s, float limit, View ds, bool accumulate, long count)
    {
        // A batch's squared number of similarities: one thread, in order.
        double sum = 0;
        if (!(MathF.Exp(s.Floats[0]) > limit))
        {
            for (long i = 0; i < count; i++)
            {
                sum += (double)dy.Floats[i] * y.Floats[i];
            }
        }

        ds.Floats[0] = (accumulate ? ds.Floats[0] : 0) + (float)sum;
    }

    public void ActivateBackward(View x, View dy, View dx, Activation activation, bool accumulate, long count)
    {
        switch (activation)
        {
            case Activation.QuickGelu: UnaryBackward<QuickGelu>(x, dy, dx, accumulate, count); break;
            case Activation.Relu: UnaryBackward<Relu>(x, dy, dx, accumulate, count); break;
            case Activation.Gelu: UnaryBackward<Gelu>(x, dy, dx, accumulate, count); break;
            default: Scale(dy, 1, dx, accumulate, count); break;
        }
    }

    public void Dropout(View x, View y, float probability, DropoutKey key, bool accumulate, long count, long first = 0, long block = 0)
    {
        if (block > 0)
        {
            for (long at = 0; at < count; at += block, key = key.Later(1))
            {
                Dropout(x.Shift(at), y.Shift(at), probability, key, accumulate, Math.Min(block, count - at), first);
            }

            return;
        }

        var a = new DropoutArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Key = key.Value,
            First = first,
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
        SimdDispatch.For<CpuColumnSums, ColumnSumArguments>(threads, ElementwisePlan.CpuColumnTiles(columns), &a);
    }

    public void Relationship(View t, View g, View y, int batch, int classes, int width)
    {
        var a = new RelationshipArguments { T = t.Floats, G = g.Floats, Y = y.Floats, Batch = batch, Classes = classes, Width = width };
        threads.For(batch, &a, &CpuRelationship.Forward);
    }

    public void RelationshipBackward(View t, View g, View dy, View dt, View dg, int batch, int classes, int width)
    {
        var a = new RelationshipArguments
        {
            T = t.Floats,
            G = g.Floats,
            Y = dy.Floats,
            Dt = dt.Floats,
            Dg = dg.Floats,
            Batch = batch,
            Classes = classes,
            Width = width
        };
        if (a.Dt != null)
        {
            threads.For(classes, &a, &CpuRelationship.TextGradient);
        }

        if (a.Dg != null)
        {
            threads.For(batch, &a, &CpuRelationship.ImageGradient);
        }
    }

    private void Run<TStep>(View a, View b, View y, float factor, bool accumulate, long count)
        where TStep : struct, IElementStep
    {
        var arguments = new ElementArguments
        {
            A = a.Floats,
            B = b.Floats,
            Y = y.Floats,
            Factor = factor,
            Accumulate = accumulate,
            Count = count,
            Tiles = Tiling.Count(count, 1),
        };
        SimdDispatch.For<CpuElements<TStep>, ElementArguments>(threads, arguments.Tiles, &arguments);
    }
}
