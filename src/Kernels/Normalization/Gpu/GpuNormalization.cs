using ILGPU;
using Ldvc.Kernels.Elementwise.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>GPU dispatch of the row-wise normalisations: packs of four floats where addresses and the row length allow it.</summary>
internal sealed class GpuNormalization(GpuLauncher launcher) : INormalizationKernels
{
    internal const int GroupSize = 128;
    internal const int SharedFloats = GroupSize + 16;
    internal const float MinLength = 1e-12f;

    private static readonly GpuKernel<NormalizeArgs> s_layer4 = Define("layer_norm.v4", GpuLayerNorm<Float4>.Forward<PlainStore<Float4>>);
    private static readonly GpuKernel<NormalizeArgs> s_layerRounded = Define("layer_norm.bf16", GpuLayerNorm<Float4>.Forward<RoundedStore>, cudaOnly: true);
    private static readonly GpuKernel<NormalizeArgs> s_layer1 = Define("layer_norm", GpuLayerNorm<Float1>.Forward<PlainStore<Float1>>);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackward4 = Define("layer_norm_backward.v4", GpuLayerNorm<Float4>.Backward);
    private static readonly GpuKernel<NormalizeArgs> s_layerBackward1 = Define("layer_norm_backward", GpuLayerNorm<Float1>.Backward);
    private static readonly GpuKernel<NormalizeArgs> s_length4 = Define("l2_normalize.v4", GpuL2Normalize<Float4>.Forward);
    private static readonly GpuKernel<NormalizeArgs> s_length1 = Define("l2_normalize", GpuL2Normalize<Float1>.Forward);
    private static readonly GpuKernel<NormalizeArgs> s_lengthBackward4 = Define("l2_normalize_backward.v4", GpuL2Normalize<Float4>.Backward);
    private static readonly GpuKernel<NormalizeArgs> s_lengthBackward1 = Define("l2_normalize_backward", GpuL2Normalize<Float1>.Backward);

    public void LayerNorm(View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon)
    {
        bool packed = GpuSizes.CanPack(x.Offset, gamma.Offset, beta.Offset, y.Offset, columns);
        var args = Args(x, y, rstd, rows, columns, packed) with
        {
            Gamma = gamma.GpuFloats,
            Beta = beta.GpuFloats,
            Mean = mean.GpuFloats,
            Epsilon = epsilon,
        };
        if (y.IsBf16 && !packed)
        {
            throw new ArgumentException($"layer norm: bf16 results of {columns} columns, expected a multiple of four");
        }

        launcher.Launch(y.IsBf16 ? s_layerRounded : packed ? s_layer4 : s_layer1, rows, args);
    }

    public void LayerNormBackward(View x, View gamma, View mean, View rstd, View dy, View dx, bool accumulate, View dgamma, View dbeta, int rows, int columns)
    {
        if (!dx.IsNone)
        {
            bool packed = GpuSizes.CanPack(x.Offset, gamma.Offset, dy.Offset, dx.Offset, columns);
            var args = Args(x, x, rstd, rows, columns, packed) with
            {
                Gamma = gamma.GpuFloats,
                Beta = gamma.GpuFloats,
                Mean = mean.GpuFloats,
                Dy = dy.GpuFloats,
                Dx = dx.GpuFloats,
                Accumulate = accumulate ? 1 : 0,
            };
            launcher.Launch(packed ? s_layerBackward4 : s_layerBackward1, rows, args);
        }

        if (!dgamma.IsNone || !dbeta.IsNone)
        {
            ParameterGradients(x, mean, rstd, dy, dgamma, dbeta, rows, columns);
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
            Y = y.IsBf16 ? y.GpuBf16.Cast<float>() : y.GpuFloats,
            Mean = any,
            Inverse = inverse.GpuFloats,
            Dy = any,
            Dx = any,
            Columns = packed ? columns / 4 : columns,
            Width = columns,
        };
    }

    private static GpuKernel<NormalizeArgs> Define(string name, Action<NormalizeArgs> method, bool cudaOnly = false) =>
        new("normalization." + name, method, GroupSize) { AnyGroup = true, CudaOnly = cudaOnly, SharedBytes = SharedFloats * sizeof(float) };

    private void ParameterGradients(View x, View mean, View rstd, View dy, View dgamma, View dbeta, int rows, int columns)
    {
        var (across, slabs, rowsPerGroup) = GpuColumnSums.Split(rows, columns);
        var partial = launcher.Workspace.Floats(2L * slabs * columns);
        launcher.Launch(GpuLayerNormParameters.Kernel, across, slabs, 1, new LayerNormParameterArgs
        {
            X = x.GpuFloats,
            Dy = dy.GpuFloats,
            Mean = mean.GpuFloats,
            Rstd = rstd.GpuFloats,
            Partial = partial.GpuFloats,
            Rows = rows,
            Columns = columns,
            RowsPerGroup = rowsPerGroup,
        });
        if (!dgamma.IsNone)
        {
            GpuColumnSums.AddRows(launcher, partial, dgamma, slabs, columns);
        }

        if (!dbeta.IsNone)
        {
            GpuColumnSums.AddRows(launcher, partial.Shift((long)slabs * columns), dbeta, slabs, columns);
        }
    }
}
