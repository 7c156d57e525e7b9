using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization;

/// <summary>CPU dispatch of the row-wise normalisations: picks the vector width, splits rows into tiles.</summary>
internal sealed unsafe class CpuNormalization(CpuThreads threads) : INormalizationKernels
{
    public void LayerNorm(View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon)
    {
        var a = new LayerNormArguments
        {
            X = x.Floats,
            Gamma = gamma.Floats,
            Beta = beta.Floats,
            Y = y.Floats,
            Mean = mean.Floats,
            Rstd = rstd.Floats,
            Rows = rows,
            Columns = columns,
            Epsilon = epsilon,
            Tiles = Tiling.Count(rows, columns),
        };
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuLayerNorm<Simd512, Vector512<float>>.Forward); break;
            case 256: threads.For(a.Tiles, &a, &CpuLayerNorm<Simd256, Vector256<float>>.Forward); break;
            default: threads.For(a.Tiles, &a, &CpuLayerNorm<Simd128, Vector128<float>>.Forward); break;
        }
    }

    public void LayerNormBackward(View x, View gamma, View mean, View rstd, View dy, View dx, bool accumulate, View dgamma, View dbeta, int rows, int columns)
    {
        var a = new LayerNormArguments
        {
            X = x.Floats,
            Gamma = gamma.Floats,
            Mean = mean.Floats,
            Rstd = rstd.Floats,
            Dy = dy.Floats,
            Dx = dx.Floats,
            Dgamma = dgamma.Floats,
            Dbeta = dbeta.Floats,
            Accumulate = accumulate,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns),
        };
        int columnTiles = (columns + CpuLayerNorm<Simd128, Vector128<float>>.ColumnTile - 1) / CpuLayerNorm<Simd128, Vector128<float>>.ColumnTile;
        bool parameters = a.Dgamma != null || a.Dbeta != null;
        switch (SimdLevel.Bits)
        {
            case 512:
                RunBackward(&a, columnTiles, parameters, &CpuLayerNorm<Simd512, Vector512<float>>.Backward, &CpuLayerNorm<Simd512, Vector512<float>>.ParameterGradients);
                break;
            case 256:
                RunBackward(&a, columnTiles, parameters, &CpuLayerNorm<Simd256, Vector256<float>>.Backward, &CpuLayerNorm<Simd256, Vector256<float>>.ParameterGradients);
                break;
            default:
                RunBackward(&a, columnTiles, parameters, &CpuLayerNorm<Simd128, Vector128<float>>.Backward, &CpuLayerNorm<Simd128, Vector128<float>>.ParameterGradients);
                break;
        }
    }

    public void L2Normalize(View x, View y, View inverseNorm, int rows, int columns)
    {
        var a = new L2NormalizeArguments { X = x.Floats, Y = y.Floats, Inverse = inverseNorm.Floats, Rows = rows, Columns = columns, Tiles = Tiling.Count(rows, columns) };
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd512, Vector512<float>>.Forward); break;
            case 256: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd256, Vector256<float>>.Forward); break;
            default: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd128, Vector128<float>>.Forward); break;
        }
    }

    public void L2NormalizeBackward(View y, View inverseNorm, View dy, View dx, bool accumulate, int rows, int columns)
    {
        var a = new L2NormalizeArguments
        {
            Y = y.Floats,
            Inverse = inverseNorm.Floats,
            Dy = dy.Floats,
            Dx = dx.Floats,
            Accumulate = accumulate,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns),
        };
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd512, Vector512<float>>.Backward); break;
            case 256: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd256, Vector256<float>>.Backward); break;
            default: threads.For(a.Tiles, &a, &CpuL2Normalize<Simd128, Vector128<float>>.Backward); break;
        }
    }

    private void RunBackward(
        LayerNormArguments* a, int columnTiles, bool parameters, delegate*<LayerNormArguments*, int, int, void> input, delegate*<LayerNormArguments*, int, int, void> parameter)
    {
        if (a->Dx != null)
        {
            threads.For(a->Tiles, a, input);
        }

        if (parameters)
        {
            threads.For(columnTiles, a, parameter);
        }
    }
}
