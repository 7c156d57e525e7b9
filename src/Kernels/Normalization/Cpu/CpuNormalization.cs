using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization.Cpu;

/// <summary>CPU dispatch of the row-wise normalisations: splits rows into tiles.</summary>
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
        SimdDispatch.For<LayerNormRows, LayerNormArguments>(threads, a.Tiles, &a);
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
        if (a.Dx != null)
        {
            SimdDispatch.For<LayerNormGradientRows, LayerNormArguments>(threads, a.Tiles, &a);
        }

        if (a.Dgamma != null || a.Dbeta != null)
        {
            SimdDispatch.For<ParameterColumns, LayerNormArguments>(threads, columnTiles, &a);
        }
    }

    public void L2Normalize(View x, View y, View inverseNorm, int rows, int columns)
    {
        var a = new L2NormalizeArguments { X = x.Floats, Y = y.Floats, Inverse = inverseNorm.Floats, Rows = rows, Columns = columns, Tiles = Tiling.Count(rows, columns) };
        SimdDispatch.For<L2Rows, L2NormalizeArguments>(threads, a.Tiles, &a);
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
        SimdDispatch.For<L2GradientRows, L2NormalizeArguments>(threads, a.Tiles, &a);
    }

    private readonly struct LayerNormRows : ITileKernel<LayerNormArguments>
    {
        public static void Tile<S, V>(LayerNormArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuLayerNorm<S, V>.Forward(a, tile, worker);
    }

    private readonly struct L2Rows : ITileKernel<L2NormalizeArguments>
    {
        public static void Tile<S, V>(L2NormalizeArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuL2Normalize<S, V>.Forward(a, tile, worker);
    }

    private readonly struct L2GradientRows : ITileKernel<L2NormalizeArguments>
    {
        public static void Tile<S, V>(L2NormalizeArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuL2Normalize<S, V>.Backward(a, tile, worker);
    }

    private readonly struct LayerNormGradientRows : ITileKernel<LayerNormArguments>
    {
        public static void Tile<S, V>(LayerNormArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuLayerNorm<S, V>.Backward(a, tile, worker);
    }

    private readonly struct ParameterColumns : ITileKernel<LayerNormArguments>
    {
        public static void Tile<S, V>(LayerNormArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuLayerNorm<S, V>.ParameterGradients(a, tile, worker);
    }
}
