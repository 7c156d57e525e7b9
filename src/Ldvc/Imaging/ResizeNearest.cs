namespace Ldvc.Imaging;

/// <summary>Which input sample a nearest-neighbour resize takes.</summary>
internal enum NearestRule
{
    /// <summary>floor((i + 0.5) * input / output): Pillow; consistent with half-pixel bilinear.</summary>
    PixelCentre,

    /// <summary>floor(i * input / output): OpenCV's INTER_NEAREST, which mmsegmentation resizes label maps with.</summary>
    TopLeft,
}

/// <summary>Nearest-neighbour resizing of label maps.</summary>
internal static class ResizeNearest
{
    /// <summary>Resizes to width x height (both at least 1).</summary>
    public static LabelMap Apply(LabelMap labels, int width, int height, NearestRule rule)
    {
        var columns = Positions(labels.Width, width, rule);
        var rows = Positions(labels.Height, height, rule);
        return labels.Wide is { } wide
            ? LabelMap.FromWide(width, height, Pick(wide.Labels, labels.Width, columns, rows))
            : new LabelMap(width, height, Pick(labels.Labels, labels.Width, columns, rows));
    }

    private static T[] Pick<T>(T[] labels, int stride, int[] columns, int[] rows)
    {
        var result = new T[checked(columns.Length * rows.Length)];
        for (int y = 0; y < rows.Length; y++)
        {
            ReadOnlySpan<T> source = labels.AsSpan(rows[y] * stride, stride);
            Span<T> target = result.AsSpan(y * columns.Length, columns.Length);
            for (int x = 0; x < target.Length; x++)
            {
                target[x] = source[columns[x]];
            }
        }

        return result;
    }

    private static int[] Positions(int input, int output, NearestRule rule)
    {
        var positions = new int[output];
        double scale = (double)input / output;

        // OpenCV multiplies by 1 / (output / input), which may differ from input / output in the last bit and so in the floor.
        double inverse = 1.0 / ((double)output / input);
        for (int i = 0; i < output; i++)
        {
            double position = rule == NearestRule.PixelCentre ? (i + 0.5) * scale : i * inverse;
            positions[i] = Math.Clamp((int)Math.Floor(position), 0, input - 1);
        }

        return positions;
    }
}
