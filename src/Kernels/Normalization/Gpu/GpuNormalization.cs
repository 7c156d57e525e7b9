using ILGPU;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>GPU dispatch of the row-wise normalisations: packs of four floats where addresses and the row length allow it.</summary>
internal sealed class GpuNormalization(GpuLauncher launcher) : INormalizationKernels
{
    private const int GroupSize = NormalizationPlan.GpuThreads;
    internal const int SharedFloats = GroupSize + GpuPlan.ReductionParts;

    private static readonly GpuKernel<NormalizeArgs> s_layer4 = Define("layer_norm.v4", GpuLayerNorm<Float4>.Forward<PlainStore<Float4>>);
    private static readonly GpuKernel<NormalizeArgs> s_layerBf16 = Define(
        "layer_norm.bf16", GpuLayerNorm<Float4>.Forward<RoundedStore<Bf16Format>>, cudaOnly: true);
    private static readonly GpuKernel<NormalizeArgs> s_layerFp16 = Define(
        "layer_norm.fp16", GpuLayerNorm<Float4>.Forward<RoundedStore<Fp16Format>>, cudaOnly: true);
    private static readonly GpuKernel<NormalizeArgs> s_layer1 = Define("layer_norm", GpuLayerNorm<Float1>.Forward<PlainStore<Float1>>);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackward4 = Define(
        "layer_norm_backward.v4", GpuLayerNorm<Float4>.Backward<NoCopy<Float4>>);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackwardBf16 = Define(
        "layer_norm_backward.bf16", GpuLayerNorm<Float4>.Backward<RoundedCopy<Bf16Format>>, cudaOnly: true);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackwardFp16 = Define(
        "layer_norm_backward.fp16", GpuLayerNorm<Float4>.Backward<RoundedCopy<Fp16Format>>, cudaOnly: true);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackward1 = Define("layer_norm_backward", GpuLayerNorm<Float1>.Backward<NoCopy<Float1>>);
    private static readonly GpuKernel<NormalizeArgs> s_sum4 = Define("add_layer_norm.v4", GpuLayerNorm<Float4>.ForwardSum);
    private static readonly GpuKernel<NormalizeArgs> s_sum1 = Define("add_layer_norm", GpuLayerNorm<Float1>.ForwardSum);
    private static readonly GpuKernel<NormalizeArgs> s_sumBackward4 = Define(
        "add_layer_norm_backward.v4", GpuLayerNorm<Float4>.Backward<DroppedCopy<Float4>>);
    private static readonly GpuKernel<NormalizeArgs> s_sumBackward1 = Define(
        "add_layer_norm_backward", GpuLayerNorm<Float1>.Backward<DroppedCopy<Float1>>);
    private static readonly GpuKernel<NormalizeArgs> s_length4 = Define("l2_normalize.v4", GpuL2Normalize<Float4>.Forward);
    private static readonly GpuKernel<NormalizeArgs> s_length1 = Define("l2_normalize", GpuL2Normalize<Float1>.Forward);
    private static readonly GpuKernel<NormalizeArgs> s_lengthBackward4 = Define("l2_normalize_backward.v4", GpuL2Normalize<Float4>.Backward);
    private static readonly GpuKernel<NormalizeArgs> s_lengthBackward1 = Define("l2_normalize_backward", GpuL2Normalize<Float1>.Backward);

    public void LayerNorm(View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon) =>
        LayerNormAfter(default, 0, x, gamma, beta, y, mean, rstd, rows, columns, epsilon);

    public void LayerNormAfter(
        View first, int firstRows, View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon)
    {
        bool packed = GpuSizes.CanPack(first.Offset, x.Offset, gamma.Offset, beta.Offset, y.Offset, columns);
        var args = Args(x, y, rstd, rows, columns, packed) with
        {
            First = first.IsNone ? x.GpuFloats : first.GpuFloats,
            FirstRows = firstRows,
            Gamma = gamma.GpuFloats,
            Beta = beta.GpuFloats,
            Mean = mean.GpuFloats,
            Epsilon = epsilon,
        };
        if (y.IsHalf && !packed)
        {
            throw new ArgumentException($"layer norm: {y.Type} results of {columns} columns, expected a multiple of four");
        }

        if (y.IsHalf)
        {
            args = args with { Overflow = launcher.Half.OverflowOf(y.Type, args.X) };
        }

        launcher.Launch(y.IsHalf ? (y.Type == DType.Float16 ? s_layerFp16 : s_layerBf16) : packed ? s_layer4 : s_layer1, rows, args);
    }

    public void LayerNormBackward(
        View x, View gamma, View mean, View rstd, View dy, View dx, bool accumulate, View dgamma, View dbeta, int rows, int columns)
    {
        if (!dx.IsNone)
        {
            LayerNormInputGradient(
                new LayerNormGradient(x, gamma, mean, rstd, new GemmParts(dy), dx, rows, columns) { Before = accumulate ? dx : default });
        }

        if (!dgamma.IsNone || !dbeta.IsNone)
        {
            ParameterGradients(x, mean, rstd, dy, dgamma, dbeta, rows, columns);
        }
    }

    public void LayerNormInputGradient(in LayerNormGradient g)
    {
        View dy = g.Dy.Values, first = g.FirstRows > 0 ? g.First : g.X, firstDx = g.FirstRows > 0 ? g.FirstDx : g.Dx,
            before = g.Before.IsNone ? g.Dx : g.Before;
        bool packed = GpuSizes.CanPack(
            g.X.Offset, g.Gamma.Offset, dy.Offset, g.Dy.Stride, g.Dx.Offset, before.Offset, first.Offset, firstDx.Offset, g.Columns);
        if (!g.Rounded.IsNone && (!packed || g.Rounded.Offset % 4 != 0))
        {
            throw new ArgumentException(
                $"layer norm backward: a {g.Rounded.Type} copy of {g.Columns} columns at {g.Rounded.Offset}, expected multiples of four");
        }

        int pack = packed ? 4 : 1;
        var args = Args(g.X, g.X, g.Rstd, g.Rows, g.Columns, packed) with
        {
            Gamma = g.Gamma.GpuFloats,
            Beta = g.Gamma.GpuFloats,
            Mean = g.Mean.GpuFloats,
            Dy = dy.GpuFloats,
            Parts = g.Dy.Count,
            PartStride = GpuSizes.Index(g.Dy.Stride * g.Dy.Count, s_layerBackward1) / g.Dy.Count / pack,
            Dx = g.Dx.GpuFloats,
            Before = before.GpuFloats,
            Accumulate = g.Before.IsNone ? 0 : 1,
            First = first.GpuFloats,
            FirstDx = firstDx.GpuFloats,
            FirstRows = g.FirstRows,
        };
        if (g.Rounded.IsNone)
        {
            launcher.Launch(packed ? s_layerBackward4 : s_layerBackward1, g.Rows, args);
            return;
        }

        args = args with
        {
            Rounded = g.Rounded.GpuHalves.Cast<float>(),
            Scale = g.RoundedScale.IsNone ? args.X : g.RoundedScale.GpuFloats,
            Scaled = g.RoundedScale.IsNone ? 0 : 1,
            Overflow = launcher.Half.OverflowOf(g.Rounded.Type, args.X),
        };
        launcher.Launch(g.Rounded.Type == DType.Float16 ? s_layerBackwardFp16 : s_layerBackwardBf16, g.Rows, args);
    }

    public void AddLayerNorm(
        View x,
        View branch,
        in BranchDropout drop,
        View gamma,
        View beta,
        View sum,
        View y,
        View mean,
        View rstd,
        int rows,
        int columns,
        float epsilon)
    {
        bool packed = GpuSizes.CanPack(x.Offset, branch.Offset, gamma.Offset, beta.Offset, sum.Offset, y.Offset, columns);
        var args = Dropping(Args(x, y, rstd, rows, columns, packed), branch, drop) with
        {
            Dx = sum.GpuFloats,
            Gamma = gamma.GpuFloats,
            Beta = beta.GpuFloats,
            Mean = mean.GpuFloats,
            Epsilon = epsilon,
        };
        launcher.Launch(packed ? s_sum4 : s_sum1, rows, args);
    }

    public void AddLayerNormBackward(
        View sum,
        View gamma,
        View mean,
        View rstd,
        View dy,
        View dsum,
        View dbranch,
        bool accumulateBranch,
        in BranchDropout drop,
        View dgamma,
        View dbeta,
        int rows,
        int columns)
    {
        if (dbranch.IsNone)
        {
            LayerNormBackward(sum, gamma, mean, rstd, dy, dsum, false, dgamma, dbeta, rows, columns);
            return;
        }

        bool packed = GpuSizes.CanPack(sum.Offset, gamma.Offset, dy.Offset, dsum.Offset, dbranch.Offset, columns);
        var args = Dropping(Args(sum, sum, rstd, rows, columns, packed), dbranch, drop) with
        {
            Gamma = gamma.GpuFloats,
            Beta = gamma.GpuFloats,
            Mean = mean.GpuFloats,
            Dy = dy.GpuFloats,
            Dx = dsum.GpuFloats,
            AccumulateBranch = accumulateBranch ? 1 : 0,
        };
        launcher.Launch(packed ? s_sumBackward4 : s_sumBackward1, rows, args);
        if (!dgamma.IsNone || !dbeta.IsNone)
        {
            ParameterGradients(sum, mean, rstd, dy, dgamma, dbeta, rows, columns);
        }
    }

    public void L2Normalize(View x, View y, View inverseNorm, int rows, int columns)
    {
        bool packed = GpuSizes.CanPack(x.Offset, y.Offset, columns);
        launcher.Launch(packed ? s_length4 : s_length1, rows, Args(x, y, inverseNorm, rows, columns, packed));
    }

    public void L2NormalizeBackward(View y, View inverseNorm, View dy, View dx, bool accumulate, int rows, int columns)
    {
        bool packed = GpuSizes.CanPack(y.Offset, dy.Offset, dx.Offset, columns);
        var args = Args(y, y, inverseNorm, rows, columns, packed) with { Dy = dy.GpuFloats, Dx = dx.GpuFloats, Accumulate = accumulate ? 1 : 0 };
        launcher.Launch(packed ? s_lengthBackward4 : s_lengthBackward1, rows, args);
    }

    private static NormalizeArgs Args(View x, View y, View inverse, int rows, int columns, bool packed)
    {
        GpuSizes.Index((long)rows * columns, s_layer1);

        // Views that a kernel does not use must be valid all the same: any will do.
        var any = x.GpuFloats;
        return new NormalizeArgs
        {
            X = any,
            Gamma = any,
            Beta = any,
            Y = y.IsHalf ? y.GpuHalves.Cast<float>() : y.GpuFloats,
            Mean = any,
            Inverse = inverse.GpuFloats,
            Dy = any,
            Dx = any,
            Before = any,
            Rounded = any,
            Scale = any,
            Overflow = any.Cast<int>(),
            First = any,
            FirstDx = any,
            Branch = any,
            Key = GpuDropoutKey.None(x.As(DType.Int32).GpuInts),
            Parts = 1,
            Columns = packed ? columns / 4 : columns,
            Width = columns,
        };
    }

    private NormalizeArgs Dropping(in NormalizeArgs args, View branch, in BranchDropout drop) => args with
    {
        Branch = branch.GpuFloats,
        Key = GpuDropoutKey.Of(launcher, drop.Key),
        MaskFirst = (ulong)drop.First,
        Threshold = DropoutMask.Threshold(drop.Probability),
        KeptScale = 1f / (1f - drop.Probability),
    };

    private static GpuKernel<NormalizeArgs> Define(string name, Action<NormalizeArgs> method, bool cudaOnly = false) =>
        new("normalization." + name, method, GroupSize) { AnyGroup = true, CudaOnly = cudaOnly, SharedBytes = SharedFloats * sizeof(float) };

    private void ParameterGradients(View x, View mean, View rstd, View dy, View dgamma, View dbeta, int rows, int columns)
    {
        var (across, slabs, rowsPerGroup) = GpuColumnSums.Split(rows, columns);
        var partial = launcher.Workspace.Floats(2L * slabs * columns);
        var beta = partial.Shift((long)slabs * columns);
        var args = new LayerNormParameterArgs
        {
            X = x.GpuFloats,
            Dy = dy.GpuFloats,
            Mean = mean.GpuFloats,
            Rstd = rstd.GpuFloats,
            Rows = rows,
            Columns = columns,
        };
        if (ElementwisePlan.SumsAtOnce(rows) && !dgamma.IsNone && !dbeta.IsNone)
        {
            int width = ElementwisePlan.ColumnsAtOnce(rows);
            launcher.Launch(GpuLayerNormParameters.Kernel, GpuSizes.Groups(columns, width), 1, 1, args with
            {
                Gamma = dgamma.GpuFloats,
                Beta = dbeta.GpuFloats,
                Accumulate = 1,
                ColumnsPerGroup = width,
                RowsPerGroup = rows,
            });
            return;
        }

        launcher.Launch(GpuLayerNormParameters.Kernel, across, slabs, 1, args with
        {
            Gamma = partial.GpuFloats,
            Beta = beta.GpuFloats,
            ColumnsPerGroup = ElementwisePlan.GpuColumns,
            RowsPerGroup = rowsPerGroup,
        });
        if (!dgamma.IsNone && !dbeta.IsNone)
        {
            GpuColumnSums.AddRows(launcher, partial, dgamma, dbeta, slabs, columns);
            return;
        }

        if (!dgamma.IsNone)
        {
            GpuColumnSums.AddRows(launcher, partial, dgamma, slabs, columns);
        }

        if (!dbeta.IsNone)
        {
            GpuColumnSums.AddRows(launcher, beta, dbeta, slabs, columns);
        }
    }
}
