namespace Ldvc.Clip;

/// <summary>Position embeddings for another grid (method.md 2.1): bilinear over the grid rows, align_corners=false; the class row is kept.</summary>
internal static class PositionEmbedding
{
    /// <summary>[1 + grid*grid, width] -> [1 + rows*columns, width].</summary>
    internal static float[] Resize(ReadOnlySpan<float> source, int grid, int rows, int columns, int width)
    {
        var target = new float[(1 + (rows * columns)) * width];
        source[..width].CopyTo(target);
        for (int y = 0; y < rows; y++)
        {
            var (y0, y1, fy) = Source(y, grid, rows);
            for (int x = 0; x < columns; x++)
            {
                var (x0, x1, fx) = Source(x, grid, columns);
                var topLeft = source.Slice((1 + (y0 * grid) + x0) * width, width);
                var topRight = source.Slice((1 + (y0 * grid) + x1) * width, width);
                var bottomLeft = source.Slice((1 + (y1 * grid) + x0) * width, width);
                var bottomRight = source.Slice((1 + (y1 * grid) + x1) * width, width);
                var to = target.AsSpan((1 + (y * columns) + x) * width, width);
                for (int i = 0; i < width; i++)
                {
                    float top = ((1 - fx) * topLeft[i]) + (fx * topRight[i]);
                    float bottom = ((1 - fx) * bottomLeft[i]) + (fx * bottomRight[i]);
                    to[i] = ((1 - fy) * top) + (fy * bottom);
                }
            }
        }

        return target;
    }

    private static (int Low, int High, float Fraction) Source(int target, int size, int targetSize)
    {
        float at = MathF.Max((((target + 0.5f) * size) / targetSize) - 0.5f, 0);
        int low = Math.Min((int)at, size - 1);
        return (low, Math.Min(low + 1, size - 1), at - low);
    }
}
