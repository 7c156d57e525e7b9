using ILGPU;

namespace Ldvc.Kernels.Resample.Gpu;

/// <summary>One axis of a bilinear resize on the GPU; the numbers are <c>CpuBilinearAxis</c>'s.</summary>
internal readonly struct GpuBilinearAxis(int input, int output)
{
    internal readonly int Input = input;
    internal readonly int Output = output;
    internal readonly float Scale = (float)input / output;
}

/// <summary>Where outputs of a bilinear resize lie between inputs, and its transpose: which outputs an input is part of.</summary>
internal static class GpuBilinear
{
    /// <summary>First of the two inputs of an output position, and the weight of the second.</summary>
    internal static int First(GpuBilinearAxis axis, int position, out float weight)
    {
        float source = MathF.Max((axis.Scale * (position + 0.5f)) - 0.5f, 0f);
        int first = (int)source;
        first = first < axis.Input ? first : axis.Input - 1;
        weight = MathF.Max(MathF.Min(source - first, 1f), 0f);
        return first;
    }

    /// <summary>Second of the two inputs.</summary>
    internal static int Second(GpuBilinearAxis axis, int first) => first + 1 < axis.Input ? first + 1 : first;

    /// <summary>A row of inputs interpolated at a column.</summary>
    internal static float Stretch(ArrayView<float> values, int row, int left, int right, float weight)
    {
        float value = values[row + left];
        return value + (weight * (values[row + right] - value));
    }

    /// <summary>
    /// Smallest output position whose first input is at or after an input: an estimate, corrected by the very function that kernels use.
    /// </summary>
    internal static int Begin(GpuBilinearAxis axis, int input)
    {
        if (input <= 0)
        {
            return 0;
        }

        int position = (int)((input + 0.5f) / axis.Scale);
        position = position < axis.Output ? position : axis.Output;
        while (position > 0 && First(axis, position - 1, out _) >= input)
        {
            position--;
        }

        while (position < axis.Output && First(axis, position, out _) < input)
        {
            position++;
        }

        return position;
    }

    /// <summary>Weight of an input in an output whose first input is given: 1 - w, w, both at the last input, or nothing.</summary>
    internal static float Share(GpuBilinearAxis axis, int input, int first, float weight)
    {
        float share = first == input ? 1f - weight : first == input - 1 ? weight : 0f;
        return first == input && input == axis.Input - 1 ? 1f : share;
    }

    /// <summary>
    /// Place of a column in a shared row. Threads that sum neighbouring inputs read with a stride of the magnification, often 8 or 16: one place in
    /// 17 is left out to spread them over the banks.
    /// </summary>
    internal static int Place(int column) => column + (column / 16);

    /// <summary>Sum of a strip's columns start .. end - 1 that an input is part of, times its weights; the values lie in a shared row.</summary>
    internal static float Gather(GpuBilinearAxis axis, int input, ArrayView<float> values, int row, int start, int end)
    {
        int first = Begin(axis, input - 1), last = Begin(axis, input + 1);
        first = first > start ? first : start;
        last = last < end ? last : end;
        float sum = 0;
        for (int i = first; i < last; i++)
        {
            int left = First(axis, i, out float weight);
            sum += values[row + Place(i - start)] * Share(axis, input, left, weight);
        }

        return sum;
    }
}
