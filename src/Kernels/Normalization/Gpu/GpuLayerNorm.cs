using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>How results are stored.</summary>
internal interface IPackStore<T>
    where T : unmanaged
{
    /// <summary>Stores pack number `at`.</summary>
    static abstract void Store(ArrayView<float> target, int at, T value);
}

/// <summary>As they are.</summary>
internal readonly struct PlainStore<T> : IPackStore<T>
    where T : unmanaged
{
    public static void Store(ArrayView<float> target, int at, T value) => target.Cast<T>()[at] = value;
}

/// <summary>Rounded to bf16.</summary>
internal readonly struct RoundedStore : IPackStore<Float4>
{
    public static void Store(ArrayView<float> target, int at, Float4 value) => target.Cast<Bf16x4>()[at] = Bf16x4.Round(value);
}

/// <summary>
/// Layer normalisation, one group a row. A row of a transformer (3 KiB) stays in L1 between the passes, so memory sees it read once and written once:
/// 8 bytes an element forward (6 when y is stored in bf16), 12 or 16 backward; limited by memory.
/// </summary>
internal static class GpuLayerNorm<T>
    where T : unmanaged, IPack<T>
{
    /// <summary>Mean first, then the variance around it: no cancellation.</summary>
    internal static void Forward<TStore>(NormalizeArgs args)
        where TStore : struct, IPackStore<T>
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        var x = args.X.Cast<T>();
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            sum += T.Sum(x[first + i]);
        }

        float mean = GroupReduction.Sum(shared, sum) / args.Width;
        var shift = T.Fill(-mean);
        float squares = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var centred = T.Add(x[first + i], shift);
            squares += T.Sum(T.Multiply(centred, centred));
        }

        float variance = GroupReduction.Sum(shared, squares) / args.Width;
        float rstd = 1f / MathF.Sqrt(variance + args.Epsilon);
        var scale = T.Fill(rstd);
        var gamma = args.Gamma.Cast<T>();
        var beta = args.Beta.Cast<T>();
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var normalized = T.Multiply(T.Add(x[first + i], shift), scale);
            TStore.Store(args.Y, first + i, T.Add(T.Multiply(normalized, gamma[i]), beta[i]));
        }

        if (Group.IdxX == 0)
        {
            args.Mean[row] = mean;
            args.Inverse[row] = rstd;
        }
    }

    /// <summary>dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * gamma.</summary>
    internal static void Backward(NormalizeArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        var x = args.X.Cast<T>();
        var dy = args.Dy.Cast<T>();
        var gamma = args.Gamma.Cast<T>();
        float rstd = args.Inverse[row];
        var shift = T.Fill(-args.Mean[row]);
        var scale = T.Fill(rstd);
        float sumG = 0f, sumGx = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var g = T.Multiply(dy[first + i], gamma[i]);
            sumG += T.Sum(g);
            sumGx += T.Sum(T.Multiply(g, T.Multiply(T.Add(x[first + i], shift), scale)));
        }

        var lessMeanG = T.Fill(-(GroupReduction.Sum(shared, sumG) / args.Width));
        var lessMeanGx = T.Fill(-(GroupReduction.Sum(shared, sumGx) / args.Width));
        var dx = args.Dx.Cast<T>();
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var g = T.Multiply(dy[first + i], gamma[i]);
            var normalized = T.Multiply(T.Add(x[first + i], shift), scale);
            var value = T.Multiply(scale, T.Add(T.Add(g, lessMeanG), T.Multiply(normalized, lessMeanGx)));
            dx[first + i] = args.Accumulate != 0 ? T.Add(dx[first + i], value) : value;
        }
    }
}
