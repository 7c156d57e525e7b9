namespace Ldvc.Imaging;

/// <summary>
/// Bilinear resizing with half-pixel centres and no antialiasing, as OpenCV's INTER_LINEAR does it for 8-bit pictures (11-bit weights, its rounding):
/// mmsegmentation's training pipeline resizes with it. A region of the output can be asked for, so that a crop costs only its own pixels.
/// </summary>
internal static class ResizeLinear
{
    private const int Bits = 11;

    /// <summary>Resizes to width x height (both at least 1).</summary>
    public static RgbImage Apply(RgbImage image, int width, int height) => Apply(image, width, height, 0, 0, width, height);

    /// <summary>
    /// The region of cropWidth x cropHeight at (left, top) of the picture resized to width x height. Identical to resizing all and cropping.
    /// </summary>
    public static RgbImage Apply(RgbImage image, int width, int height, int left, int top, int cropWidth, int cropHeight)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(left + cropWidth, width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(top + cropHeight, height);
        var result = new RgbImage(cropWidth, cropHeight);
        if (width == image.Width && height == image.Height)
        {
            for (int y = 0; y < cropHeight; y++)
            {
                image.Pixels.AsSpan(3 * (((top + y) * width) + left), 3 * cropWidth).CopyTo(result.Pixels.AsSpan(3 * y * cropWidth));
            }

            return result;
        }

        var columns = Axis(image.Width, width, left, cropWidth, clampWeights: true);
        var rows = Axis(image.Height, height, top, cropHeight, clampWeights: false);

        // Two horizontally interpolated source rows, kept as long as they are the ones needed.
        var upper = new int[3 * cropWidth];
        var lower = new int[3 * cropWidth];
        int upperRow = -1, lowerRow = -1;
        for (int y = 0; y < cropHeight; y++)
        {
            var (first, weight0, weight1) = rows[y];
            int row = Math.Max(first, 0), next = Math.Min(first + 1, image.Height - 1);
            if (row == lowerRow)
            {
                (upper, lower, upperRow, lowerRow) = (lower, upper, lowerRow, upperRow);
            }

            Fill(image, row, columns, upper, ref upperRow);
            Fill(image, next, columns, lower, ref lowerRow);
            var target = result.Pixels.AsSpan(3 * y * cropWidth, 3 * cropWidth);
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = (byte)((((weight0 * (upper[i] >> 4)) >> 16) + ((weight1 * (lower[i] >> 4)) >> 16) + 2) >> 2);
            }
        }

        return result;
    }

    private static unsafe void Fill(RgbImage image, int row, (int First, int Weight0, int Weight1)[] columns, int[] sums, ref int filledRow)
    {
        if (filledRow == row)
        {
            return;
        }

        filledRow = row;
        int last = image.Width - 1;
        fixed (byte* pixels = image.Pixels)
        fixed (int* output = sums)
        {
            byte* source = pixels + (3L * image.Width * row);
            int* target = output;
            foreach (var (first, weight0, weight1) in columns)
            {
                byte* a = source + (3L * first);
                byte* b = first < last ? a + 3 : a;
                target[0] = (a[0] * weight0) + (b[0] * weight1);
                target[1] = (a[1] * weight0) + (b[1] * weight1);
                target[2] = (a[2] * weight0) + (b[2] * weight1);
                target += 3;
            }
        }
    }

    // Beyond the edges OpenCV takes one column with the whole weight, but one row twice with a part of the weight each, and rounds each part.
    private static (int First, int Weight0, int Weight1)[] Axis(int input, int output, int start, int count, bool clampWeights)
    {
        var axis = new (int, int, int)[count];
        double scale = 1.0 / ((double)output / input);
        for (int i = 0; i < count; i++)
        {
            float position = (float)(((start + i + 0.5) * scale) - 0.5);
            int first = (int)MathF.Floor(position);
            float fraction = position - first;
            if (clampWeights && first < 0)
            {
                (first, fraction) = (0, 0);
            }
            else if (clampWeights && first >= input - 1)
            {
                (first, fraction) = (input - 1, 0);
            }

            // Half to even, as OpenCV rounds.
            int weight0 = (int)MathF.Round((1f - fraction) * (1 << Bits));
            int weight1 = (int)MathF.Round(fraction * (1 << Bits));
            axis[i] = (first, weight0, weight1);
        }

        return axis;
    }
}
