using ILGPU;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Gpu;

/// <summary>GPU dispatch of the element-wise kernels.</summary>
internal sealed class GpuElementwise(GpuLauncher launcher) : IElementwiseKernels
{
    public void Add(View a, View b, View y, long count) => Run(GpuBinary<Add>.Dense, a, b, y, count, default);

    public void Scale(View x, float factor, View y, bool accumulate, long count) =>
        Run(GpuElements.Scale, x, x, y, count, new ElementArgs { Factor = factor, Accumulate = accumulate ? 1 : 0 });

    public void Fill(View y, float value, long count) => Run(GpuElements.Fill, y, y, y, count, new ElementArgs { Factor = value });

    public void Unary<TFunction>(View x, View y, long count)
        where TFunction : struct, IUnaryFunction =>
        Run(GpuUnary<TFunction>.Forward, x, x, y, count, default);

    public void UnaryBackward<TFunction>(View x, View dy, View dx, bool accumulate, long count)
        where TFunction : struct, IUnaryFunction =>
        Run(GpuUnary<TFunction>.Backward, x, dy, dx, count, new ElementArgs { Accumulate = accumulate ? 1 : 0 });

    public void Binary<TFunction>(View a, View b, View y, bool accumulate, in BroadcastLayout layout)
        where TFunction : struct, IBinaryFunction
    {
        if (layout.IsDense)
        {
            Run(GpuBinary<TFunction>.Dense, a, b, y, layout.Count, new ElementArgs { Accumulate = accumulate ? 1 : 0 });
            return;
        }

        launcher.LaunchItems(GpuBinary<TFunction>.Strided, layout.Count, GpuStrided.Args(GpuBinary<TFunction>.Strided, a, b, y, accumulate, layout));
    }

    public void ScaleByExp(View x, View s, float limit, View y, bool accumulate, long count) =>
        launcher.LaunchItems(GpuScaleByExp.Forward, count, ByExp(x, y, s, limit, accumulate, count));

    public void ScaleByExpGradient(View dy, View y, View s, float limit, View ds, bool accumulate, long count)
    {
        int groups = Math.Max(1, GpuSizes.Groups(count, ElementwisePlan.GpuExponentElements));
        var args = ByExp(dy, y, s, limit, accumulate, count) with
        {
            Partial = launcher.Workspace.Floats(groups).GpuFloats,
            Gradient = ds.GpuFloats,
            Groups = groups,
        };
        launcher.Launch(GpuScaleByExp.Products, groups, args);
        launcher.Launch(GpuScaleByExp.Finish, 1, args);
    }

    public void ActivateBackward(View x, View dy, View dx, Activation activation, bool accumulate, long count)
    {
        if (!x.IsHalf)
        {
            switch (activation)
            {
                case Activation.QuickGelu: UnaryBackward<QuickGelu>(x, dy, dx, accumulate, count); break;
                case Activation.Relu: UnaryBackward<Relu>(x, dy, dx, accumulate, count); break;
                case Activation.Gelu: UnaryBackward<Gelu>(x, dy, dx, accumulate, count); break;
                default: Scale(dy, 1, dx, accumulate, count); break;
            }

            return;
        }

        var kernel = GpuStoredActivation.Kernel(x.Type);
        int quads = GpuSizes.CanPack(x.Offset, dy.Offset, dx.Offset, count)
            ? GpuSizes.Index(count, kernel) / 4
            : throw new ArgumentException($"activation backward: {count} {x.Type} elements at {x.Offset}, expected multiples of four");
        launcher.LaunchItems(kernel, quads, new StoredActivationArgs
        {
            X = x.GpuHalves.Cast<Halves4>(),
            Dy = dy.GpuFloats.Cast<Float4>(),
            Dx = dx.GpuFloats.Cast<Float4>(),
            Quads = quads,
            Activation = (int)activation,
            Accumulate = accumulate ? 1 : 0,
        });
    }

    public void Dropout(View x, View y, float probability, DropoutKey key, bool accumulate, long count, long first = 0, long block = 0) => Run(
        block > 0 ? GpuElements.DropoutBlocks : GpuElements.Dropout, x, x, y, count, new ElementArgs
        {
            Key = GpuDropoutKey.Of(launcher, key),
            Block = GpuSizes.Index(block, GpuElements.Dropout),
            FirstLow = (uint)first,
            FirstHigh = (uint)(first >> 32),
            Threshold = DropoutMask.Threshold(probability),
            Factor = 1f / (1f - probability),
            Accumulate = accumulate ? 1 : 0,
        });

    public void ColumnSums(View dy, View sums, int rows, int columns)
    {
        if (columns == 0)
        {
            return;
        }

        var (across, slabs, rowsPerGroup) = GpuColumnSums.Split(rows, columns);
        if (slabs == 1 || ElementwisePlan.SumsAtOnce(rows))
        {
            GpuColumnSums.AddRows(launcher, dy, sums, rows, columns);
            return;
        }

        var partial = launcher.Workspace.Floats((long)slabs * columns);
        launcher.Launch(GpuColumnSums.Kernel, across, slabs, 1, new ColumnSumArgs
        {
            Source = dy.GpuFloats,
            Target = partial.GpuFloats,
            Second = partial.GpuFloats,
            Rows = rows,
            Columns = columns,
            ColumnsPerGroup = ElementwisePlan.GpuColumns,
            RowsPerGroup = rowsPerGroup,
        });
        GpuColumnSums.AddRows(launcher, partial, sums, slabs, columns);
    }

    public void Relationship(View t, View g, View y, int batch, int classes, int width)
    {
        long items = (long)batch * classes * width;
        GpuSizes.Index(2 * items, GpuRelationship.Forward);
        launcher.LaunchItems(GpuRelationship.Forward, items, Args(t, g, y, y, batch, classes, width));
    }

    public void RelationshipBackward(View t, View g, View dy, View dt, View dg, int batch, int classes, int width)
    {
        if (!dt.IsNone)
        {
            launcher.LaunchItems(GpuRelationship.Text, (long)classes * width, Args(t, g, dy, dt, batch, classes, width));
        }

        if (!dg.IsNone)
        {
            launcher.LaunchItems(GpuRelationship.Image, (long)batch * width, Args(t, g, dy, dg, batch, classes, width));
        }
    }

    private static ScaleByExpArgs ByExp(View x, View y, View s, float limit, bool accumulate, long count) => new()
    {
        X = x.GpuFloats,
        Y = y.GpuFloats,
        S = s.GpuFloats,
        Partial = s.GpuFloats,
        Gradient = s.GpuFloats,
        Limit = limit,
        Count = GpuSizes.Index(count, GpuScaleByExp.Forward),
        Accumulate = accumulate ? 1 : 0,
    };

    private static RelationshipArgs Args(View t, View g, View y, View gradient, int batch, int classes, int width) => new()
    {
        T = t.GpuFloats,
        G = g.GpuFloats,
        Y = y.GpuFloats,
        Gradient = gradient.GpuFloats,
        Batch = batch,
        Classes = classes,
        Width = width,
    };

    private void Run(GpuKernel<ElementArgs> kernel, View a, View b, View y, long count, in ElementArgs args)
    {
        int n = GpuSizes.Index(count, kernel);
        int vectors = GpuSizes.CanPack(a.Offset, b.Offset, y.Offset) ? n / 4 : 0;
        int singles = n - (4 * vectors);
        launcher.LaunchItems(kernel, vectors + singles, args.With(a, b, y, vectors, singles));
    }
}
