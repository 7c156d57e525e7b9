using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Labels.Gpu;
using Ldvc.Kernels.Resample.Gpu;

namespace Ldvc.Kernels.MaskLoss.Gpu;

/// <summary>Arguments of the mask loss kernels; views that a kernel does not use may be any.</summary>
internal readonly struct GpuMaskLossArguments
{
    internal ArrayView<float> Z { get; init; }

    /// <summary>As <see cref="IGpuLabels"/> reads them.</summary>
    internal ArrayView<byte> Labels { get; init; }

    /// <summary>[B, C, 4], as the contract says.</summary>
    internal ArrayView<float> Sums { get; init; }

    /// <summary>The three numbers of the loss.</summary>
    internal ArrayView<float> Loss { get; init; }

    /// <summary>Gradient of the total, one number.</summary>
    internal ArrayView<float> LossGradient { get; init; }

    internal ArrayView<float> Dz { get; init; }

    /// <summary>Sums of bands [B, C, Bands] forward, coefficients [B, C] backward.</summary>
    internal ArrayView<Float4> Scratch { get; init; }

    internal GpuBilinearAxis Rows { get; init; }

    internal GpuBilinearAxis Columns { get; init; }

    internal int Planes { get; init; }

    internal int Classes { get; init; }

    internal int Bands { get; init; }

    internal int Accumulate { get; init; }

    internal float FocalWeight { get; init; }

    internal float DiceWeight { get; init; }

    internal float Alpha { get; init; }
}

/// <summary>
/// Upsampling, focal and dice loss in one pass over the pixels of each (image, class). A thread walks down a column: the two stretched rows of logits
/// that its pixels lie between stay in registers, a pixel's logit is one multiply-add. Sums go through two passes in a fixed order.
/// </summary>
internal static class GpuMaskLossKernels
{
    private const int Threads = MaskLossPlan.GpuThreads;
    private const int BandRows = MaskLossPlan.BandRows;
    private const int GradientRows = MaskLossPlan.GradientRows;

    /// <summary>Shared memory of a reduction.</summary>
    internal const int ReduceSharedBytes = Threads * 16;

    /// <summary>Shared memory of <see cref="SumBand{TLabels}"/>.</summary>
    internal const int SumSharedBytes = ReduceSharedBytes + (BandRows * 8);

    /// <summary>Shared memory of <see cref="Gradient{TLabels}"/>.</summary>
    internal const int GradientSharedBytes = GradientRows * StripStride * sizeof(float);

    private const int StripStride = Threads + (Threads / 16);

    /// <summary>Sums over a band of one (image, class): p of positives, p, positives, focal terms.</summary>
    internal static void SumBand<TLabels>(GpuMaskLossArguments a)
        where TLabels : struct, IGpuLabels
    {
        var partial = SharedMemory.Allocate<Float4>(Threads);
        var firsts = SharedMemory.Allocate<int>(BandRows);
        var weights = SharedMemory.Allocate<float>(BandRows);
        int plane = Grid.IdxX / a.Bands, top = (Grid.IdxX - (plane * a.Bands)) * BandRows, image = plane / a.Classes;
        int wanted = plane - (image * a.Classes), rows = a.Rows.Output - top < BandRows ? a.Rows.Output - top : BandRows;
        for (int row = Group.IdxX; row < rows; row += Group.DimX)
        {
            firsts[row] = GpuBilinear.First(a.Rows, top + row, out float weight);
            weights[row] = weight;
        }

        Group.Barrier();
        float hits = 0, probabilities = 0, positives = 0, focal = 0;
        int z = plane * a.Rows.Input * a.Columns.Input;
        for (int column = Group.IdxX; column < a.Columns.Output; column += Group.DimX)
        {
            int left = GpuBilinear.First(a.Columns, column, out float across), right = GpuBilinear.Second(a.Columns, left), known = -1;
            int label = (((image * a.Rows.Output) + top) * a.Columns.Output) + column;
            float lower = 0, step = 0;
            for (int row = 0; row < rows; row++, label += a.Columns.Output)
            {
                int first = firsts[row];
                if (first != known)
                {
                    known = first;
                    lower = GpuBilinear.Stretch(a.Z, z + (first * a.Columns.Input), left, right, across);
                    step = GpuBilinear.Stretch(a.Z, z + (GpuBilinear.Second(a.Rows, first) * a.Columns.Input), left, right, across) - lower;
                }

                float value = lower + (weights[row] * step);
                bool positive = TLabels.At(a.Labels, label) == wanted;
                float p = Terms(positive ? -value : value, out float q, out float softplus);
                focal += (positive ? a.Alpha : 1f - a.Alpha) * p * p * softplus;
                probabilities += positive ? q : p;
                hits += positive ? q : 0f;
                positives += positive ? 1f : 0f;
            }
        }

        var total = Reduce(partial, new Float4(hits, probabilities, positives, focal));
        if (Group.IdxX == 0)
        {
            a.Scratch[Grid.IdxX] = total;
        }
    }

    /// <summary>One group: sums of the bands, then the loss over all (image, class).</summary>
    internal static void Finish(GpuMaskLossArguments a)
    {
        var partial = SharedMemory.Allocate<Float4>(Threads);
        float focal = 0, dice = 0, present = 0;
        for (int plane = Group.IdxX; plane < a.Planes; plane += Group.DimX)
        {
            Float4 sum = default;
            for (int band = 0; band < a.Bands; band++)
            {
                sum = Quad.Add(sum, a.Scratch[(plane * a.Bands) + band]);
            }

            a.Sums[4 * plane] = sum.X;
            a.Sums[(4 * plane) + 1] = sum.Y;
            a.Sums[(4 * plane) + 2] = sum.Z;
            a.Sums[(4 * plane) + 3] = sum.W;
            focal += sum.W;
            dice += sum.Z > 0f ? 1f - (((2f * sum.X) + 1f) / (sum.Y + sum.Z + 1f)) : 0f;
            present += sum.Z > 0f ? 1f : 0f;
        }

        var total = Reduce(partial, new Float4(focal, dice, present, 0f));
        if (Group.IdxX == 0)
        {
            float n = MathF.Max(total.Z, 1f);
            float meanFocal = total.X / ((float)(a.Rows.Output * a.Columns.Output) * n), meanDice = total.Y / n;
            a.Loss[0] = (a.FocalWeight * meanFocal) + (a.DiceWeight * meanDice);
            a.Loss[1] = meanFocal;
            a.Loss[2] = meanDice;
        }
    }

    /// <summary>
    /// One group: coefficients of each (image, class), see <c>MaskLossSlopes</c>; focal negative, focal positive, dice negative, dice positive.
    /// </summary>
    internal static void Slopes(GpuMaskLossArguments a)
    {
        var partial = SharedMemory.Allocate<Float4>(Threads);
        float present = 0;
        for (int plane = Group.IdxX; plane < a.Planes; plane += Group.DimX)
        {
            present += a.Sums[(4 * plane) + 2] > 0f ? 1f : 0f;
        }

        float n = MathF.Max(Reduce(partial, new Float4(present, 0f, 0f, 0f)).X, 1f), gradient = a.LossGradient[0];
        float focal = gradient * a.FocalWeight / ((float)(a.Rows.Output * a.Columns.Output) * n), dice = gradient * a.DiceWeight / n;
        for (int plane = Group.IdxX; plane < a.Planes; plane += Group.DimX)
        {
            float positives = a.Sums[(4 * plane) + 2], denominator = a.Sums[(4 * plane) + 1] + positives + 1f;
            float common = ((2f * a.Sums[4 * plane]) + 1f) / denominator / denominator;
            bool exists = positives > 0f;
            a.Scratch[plane] = new Float4(
                focal * (1f - a.Alpha), -focal * a.Alpha, exists ? dice * common : 0f, exists ? dice * (common - (2f / denominator)) : 0f);
        }
    }

    /// <summary>
    /// Gradient of a band of rows of logits of one (image, class). A thread sums down a column of the image, row of logits by row of logits; the
    /// summed rows lie in shared memory, from where each logit gathers its columns. The image rows above the band are computed twice, by both bands
    /// that they belong to.
    /// </summary>
    internal static void Gradient<TLabels>(GpuMaskLossArguments a)
        where TLabels : struct, IGpuLabels
    {
        var strips = SharedMemory.Allocate<float>(GradientRows * StripStride);
        int plane = Grid.IdxX / a.Bands, top = (Grid.IdxX - (plane * a.Bands)) * GradientRows, image = plane / a.Classes;
        int wanted = plane - (image * a.Classes), bottom = a.Rows.Input - top < GradientRows ? a.Rows.Input : top + GradientRows;
        var slopes = a.Scratch[plane];
        int z = plane * a.Rows.Input * a.Columns.Input, begin = GpuBilinear.Begin(a.Rows, top - 1);
        for (int start = 0; start < a.Columns.Output; start += Group.DimX)
        {
            int column = start + Group.IdxX, inside = column < a.Columns.Output ? column : a.Columns.Output - 1;
            int left = GpuBilinear.First(a.Columns, inside, out float across), right = GpuBilinear.Second(a.Columns, left);
            int pixel = begin;
            float carry = 0;
            for (int row = top > 0 ? top - 1 : 0; row < bottom; row++)
            {
                float lower = GpuBilinear.Stretch(a.Z, z + (row * a.Columns.Input), left, right, across);
                float step = GpuBilinear.Stretch(a.Z, z + (GpuBilinear.Second(a.Rows, row) * a.Columns.Input), left, right, across) - lower;
                float sum = 0, weighted = 0;
                for (; pixel < a.Rows.Output && GpuBilinear.First(a.Rows, pixel, out float weight) == row; pixel++)
                {
                    bool positive = TLabels.At(a.Labels, (((image * a.Rows.Output) + pixel) * a.Columns.Output) + inside) == wanted;
                    float slope = Slope(lower + (weight * step), positive, slopes);
                    sum += slope;
                    weighted += slope * weight;
                }

                // What a row does not keep goes to the next one; the last row keeps all.
                float value = sum - weighted + carry;
                carry = weighted;
                value += row == a.Rows.Input - 1 ? weighted : 0f;
                if (row >= top)
                {
                    strips[((row - top) * StripStride) + GpuBilinear.Place(Group.IdxX)] = value;
                }
            }

            Group.Barrier();
            int end = start + Group.DimX < a.Columns.Output ? start + Group.DimX : a.Columns.Output;
            for (int i = Group.IdxX; i < (bottom - top) * a.Columns.Input; i += Group.DimX)
            {
                int row = i / a.Columns.Input, input = i - (row * a.Columns.Input), at = z + ((top + row) * a.Columns.Input) + input;
                float value = GpuBilinear.Gather(a.Columns, input, strips, row * StripStride, start, end);
                a.Dz[at] = start > 0 || a.Accumulate != 0 ? a.Dz[at] + value : value;
            }

            Group.Barrier();
        }
    }

    // With the logit's sign turned at positives, both kinds of pixels obey one formula: slope p (focal p (2 q softplus + p) + dice q).
    private static float Slope(float value, bool positive, Float4 slopes)
    {
        float p = Terms(positive ? -value : value, out float q, out float softplus);
        float inner = (((q + q) * softplus) + p) * p;
        return p * (((positive ? slopes.Y : slopes.X) * inner) + ((positive ? slopes.W : slopes.Z) * q));
    }

    // p = sigmoid(x), q = 1 - p and softplus(x) from one exponential and one reciprocal; all three keep their relative accuracy.
    private static float Terms(float x, out float q, out float softplus)
    {
        float u = MathF.Exp(-MathF.Abs(x)), large = 1f / (1f + u), small = u * large;
        q = x > 0f ? small : large;
        softplus = MathF.Max(x, 0f) + Log1pUnit(u);
        return x > 0f ? large : small;
    }

    // The polynomial of VectorLog.Log1pUnit: log(1 + u) for u in [0, 1]. The device's logarithm is absolutely, not relatively accurate near 1.
    private static float Log1pUnit(float u)
    {
        float square = u * u;
        float even = (((((((-4.46621142e-3f * square) - 6.67577237e-2f) * square) - 0.158475652f) * square) - 0.249865264f) * square) - 0.49999997f;
        float odd = (((((2.52240542e-2f * square) + 0.115618452f) * square) + 0.19854106f) * square) + 0.333328426f;
        return (square * ((odd * u) + even)) + u;
    }

    // Sum over the group, a power of two, in a fixed tree; every thread gets it.
    private static Float4 Reduce(ArrayView<Float4> partial, Float4 value)
    {
        partial[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half)
            {
                partial[Group.IdxX] = Quad.Add(partial[Group.IdxX], partial[Group.IdxX + half]);
            }

            Group.Barrier();
        }

        return partial[0];
    }
}
