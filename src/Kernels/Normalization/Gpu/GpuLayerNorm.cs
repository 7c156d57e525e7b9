using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>How results are stored.</summary>
internal interface IPackStore<T>
    where T : unmanaged
{
    /// <summary>Stores pack number `at`.</summary>
    static abstract void Store(NormalizeArgs args, ArrayView<float> target, int at, T value);
}

/// <summary>As they are.</summary>
internal readonly struct PlainStore<T> : IPackStore<T>
    where T : unmanaged
{
    public static void Store(NormalizeArgs args, ArrayView<float> target, int at, T value) => target.Cast<T>()[at] = value;
}

/// <summary>Rounded to 16 bits.</summary>
internal readonly struct RoundedStore<TFormat> : IPackStore<Float4>
    where TFormat : struct, IHalfFormat
{
    public static void Store(NormalizeArgs args, ArrayView<float> target, int at, Float4 value) =>
        target.Cast<Halves4>()[at] = Halves4.Round<TFormat>(value, args.Overflow);
}

/// <summary>Whether a gradient is stored once more.</summary>
internal interface IGradientCopy<T>
    where T : unmanaged
{
    /// <summary>Stores pack number `at`, or not.</summary>
    static abstract void Store(NormalizeArgs args, int at, T value);
}

/// <summary>It is not.</summary>
internal readonly struct NoCopy<T> : IGradientCopy<T>
    where T : unmanaged
{
    public static void Store(NormalizeArgs args, int at, T value)
    {
    }
}

/// <summary>In 16 bits, for the product that reads it next; times the scale of gradients in a format that has one.</summary>
internal readonly struct RoundedCopy<TFormat> : IGradientCopy<Float4>
    where TFormat : struct, IHalfFormat
{
    public static void Store(NormalizeArgs args, int at, Float4 value) =>
        RoundedStore<TFormat>.Store(args, args.Rounded, at, PackHalf.Times<TFormat>(value, TFormat.Factor(args.Scale, 0, args.Scaled)));
}

/// <summary>As the gradient of a branch whose elements were dropped before they were added.</summary>
internal readonly struct DroppedCopy<T> : IGradientCopy<T>
    where T : unmanaged, IPack<T>
{
    public static void Store(NormalizeArgs args, int at, T value)
    {
        var branch = args.Branch.Cast<T>();
        var dropped = T.Multiply(value, Kept(args, at));
        branch[at] = args.AccumulateBranch != 0 ? T.Add(branch[at], dropped) : dropped;
    }

    /// <summary>What the elements of a pack count: nothing, or what is kept.</summary>
    internal static T Kept(NormalizeArgs args, int at) => T.Kept(GpuDropoutKey.Draw(args.Key, 0), args.MaskFirst, at, args.Threshold, args.KeptScale);
}

/// <summary>
/// Layer normalisation, one group a row. A row of a transformer (3 KiB) stays in L1 between the passes, so memory sees it read once and written once:
/// 8 bytes an element forward (6 when y is stored in 16 bits), 12 or 16 backward; limited by memory.
/// </summary>
internal static class GpuLayerNorm<T>
    where T : unmanaged, IPack<T>
{
    /// <summary>Mean first, then the variance around it: no cancellation.</summary>
    internal static void Forward<TStore>(NormalizeArgs args)
        where TStore : struct, IPackStore<T>
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, leading = args.FirstRows, own = row < leading ? row : row - leading, first = own * args.Columns, to = row * args.Columns;
        var x = (row < leading ? args.First : args.X).Cast<T>();
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
            TStore.Store(args, args.Y, to + i, T.Add(T.Multiply(normalized, gamma[i]), beta[i]));
        }

        if (Group.IdxX == 0)
        {
            args.Mean[row] = mean;
            args.Inverse[row] = rstd;
        }
    }

    /// <summary>As <see cref="Forward"/> of x and a branch of which elements are dropped; the sum is kept.</summary>
    internal static void ForwardSum(NormalizeArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        var x = args.X.Cast<T>();
        var branch = args.Branch.Cast<T>();
        var sums = args.Dx.Cast<T>();
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var value = T.Add(x[first + i], T.Multiply(branch[first + i], DroppedCopy<T>.Kept(args, first + i)));
            sums[first + i] = value;
            sum += T.Sum(value);
        }

        // A thread reads again what it has written itself.
        float mean = GroupReduction.Sum(shared, sum) / args.Width;
        var shift = T.Fill(-mean);
        float squares = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var centred = T.Add(sums[first + i], shift);
            squares += T.Sum(T.Multiply(centred, centred));
        }

        float variance = GroupReduction.Sum(shared, squares) / args.Width;
        float rstd = 1f / MathF.Sqrt(variance + args.Epsilon);
        var scale = T.Fill(rstd);
        var gamma = args.Gamma.Cast<T>();
        var beta = args.Beta.Cast<T>();
        var y = args.Y.Cast<T>();
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var normalized = T.Multiply(T.Add(sums[first + i], shift), scale);
            y[first + i] = T.Add(T.Multiply(normalized, gamma[i]), beta[i]);
        }

        if (Group.IdxX == 0)
        {
            args.Mean[row] = mean;
            args.Inverse[row] = rstd;
        }
    }

    /// <summary>dx = before + rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * gamma.</summary>
    internal static void Backward<TCopy>(NormalizeArgs args)
        where TCopy : struct, IGradientCopy<T>
    {
        var shared = SharedMemory.Allocate1D<float>(GpuNormalization.SharedFloats);
        int row = Grid.IdxX, leading = args.FirstRows, own = row < leading ? row : row - leading, first = own * args.Columns,
            from = row * args.Columns;
        var x = (row < leading ? args.First : args.X).Cast<T>();
        var dy = args.Dy.Cast<T>();
        var gamma = args.Gamma.Cast<T>();
        float rstd = args.Inverse[row];
        var shift = T.Fill(-args.Mean[row]);
        var scale = T.Fill(rstd);
        float sumG = 0f, sumGx = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var g = T.Multiply(Incoming(args, dy, from + i), gamma[i]);
            sumG += T.Sum(g);
            sumGx += T.Sum(T.Multiply(g, T.Multiply(T.Add(x[first + i], shift), scale)));
        }

        var lessMeanG = T.Fill(-(GroupReduction.Sum(shared, sumG) / args.Width));
        var lessMeanGx = T.Fill(-(GroupReduction.Sum(shared, sumGx) / args.Width));
        var dx = (row < leading ? args.FirstDx : args.Dx).Cast<T>();
        var before = (row < leading ? args.FirstDx : args.Before).Cast<T>();
        bool adds = row < leading || args.Accumulate != 0;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            var g = T.Multiply(Incoming(args, dy, from + i), gamma[i]);
            var normalized = T.Multiply(T.Add(x[first + i], shift), scale);
            var value = T.Multiply(scale, T.Add(T.Add(g, lessMeanG), T.Multiply(normalized, lessMeanGx)));
            value = adds ? T.Add(before[first + i], value) : value;
            dx[first + i] = value;
            TCopy.Store(args, first + i, value);
        }
    }

    // The parts of a product that was cut are added in order.
    private static T Incoming(NormalizeArgs args, ArrayView<T> dy, int at)
    {
        var sum = dy[at];
        for (int part = 1; part < args.Parts; part++)
        {
            sum = T.Add(sum, dy[(part * args.PartStride) + at]);
        }

        return sum;
    }
}
