using System.Runtime.Intrinsics;
using Ldvc.Kernels.Elementwise.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization.Cpu;

/// <summary>CPU dispatch of the row-wise normalisations: splits rows into tiles.</summary>
internal sealed unsafe class CpuNormalization(CpuThreads threads) : INormalizationKernels
{
    private readonly CpuElementwise _elements = new(threads);

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

    public void LayerNormBackward(
        View x, View gamma, View mean, View rstd, View dy, View dx, bool accumulate, View dgamma, View dbeta, int rows, int columns)
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
        int columnTiles = NormalizationPlan.CpuParameterTiles(columns);
        if (a.Dx != null)
        {
            SimdDispatch.For<LayerNormGradientRows, LayerNormArguments>(threads, a.Tiles, &a);
        }

        if (a.Dgamma != null || a.Dbeta != null)
        {
            SimdDispatch.For<ParameterColumns, LayerNormArguments>(threads, columnTiles, &a);
        }
    }

    public void LayerNormAfter(
        View first, int firstRows, View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon)
    {
        if (firstRows > 0)
        {
            LayerNorm(first, gamma, beta, y, mean, rstd, firstRows, columns, epsilon);
        }

        LayerNorm(
            x, gamma, beta, y.Shift((long)firstRows * columns), mean.Shift(firstRows), rstd.Shift(firstRows), rows - firstRows, columns, epsilon);
    }

    public void LayerNormInputGradient(in LayerNormGradient g)
    {
        if (g.Dy.Count != 1 || !g.Rounded.IsNone)
        {
            throw new NotSupportedException("layer norm backward: products on the CPU are whole, and nothing is stored in 16 bits");
        }

        View dy = g.Dy.Values;
        int first = g.FirstRows, rows = g.Rows - first;
        if (first > 0)
        {
            LayerNormBackward(g.First, g.Gamma, g.Mean, g.Rstd, dy, g.FirstDx, true, default, default, first, g.Columns);
        }

        long bytes = (long)rows * g.Columns * sizeof(float);
        if (!g.Before.IsNone && g.Before != g.Dx)
        {
            Buffer.MemoryCopy(g.Before.Floats, g.Dx.Floats, bytes, bytes);
        }

        LayerNormBackward(
            g.X,
            g.Gamma,
            g.Mean.Shift(first),
            g.Rstd.Shift(first),
            dy.Shift((long)first * g.Columns),
            g.Dx,
            !g.Before.IsNone,
            default,
            default,
            rows,
            g.Columns);
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
        long count = (long)rows * columns;
        if (drop.Probability > 0)
        {
            _elements.Dropout(branch, sum, drop.Probability, drop.Key, false, count, drop.First);
            branch = sum;
        }

        _elements.Add(x, branch, sum, count);
        LayerNorm(sum, gamma, beta, y, mean, rstd, rows, columns, epsilon);
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
        LayerNormBackward(sum, gamma, mean, rstd, dy, dsum, false, dgamma, dbeta, rows, columns);
        if (!dbranch.IsNone)
        {
            _elements.Dropout(dsum, dbranch, drop.Probability, drop.Key, accumulateBranch, (long)rows * columns, drop.First);
        }
    }

    public void L2Normalize(View x, View y, View inverseNorm, int rows, int columns)
    {
        var a = new L2NormalizeArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Inverse = inverseNorm.Floats,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns)
        };
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
