using System.Buffers;

namespace Ldvc.Tensors;

/// <summary>
/// The order in which the CPU keeps frozen weights. A matrix [N, K] is cut into panels of 32 rows; in a panel the 32 values of one k lie side by
/// side, k after k, which is how the micro-kernel of a product x W^T reads them. A panel takes the place of its 32 rows, so a weight is rearranged
/// where it lies and takes no more memory; and squares of 32 x 32 lie together, so the other product, dy W, packs from it as fast as from rows.
/// </summary>
internal static class PanelLayout
{
    /// <summary>Rows of a panel: two 512-bit vectors.</summary>
    internal const int Width = 32;

    /// <summary>Whether a matrix can be kept in panels.</summary>
    internal static bool Fits(Shape shape) =>
        shape.Rank == 2 && shape[0] > 0 && shape[0] % Width == 0 && shape[1] > 0 && shape.Count <= Array.MaxLength;

    /// <summary>Rows of the given length to panels, in place; nothing when the length is 0.</summary>
    /// <exception cref="InvalidOperationException">The values are not whole panels.</exception>
    internal static void Pack(Span<float> values, int rowLength) => Rearrange(values, Width, rowLength, rowLength);

    /// <summary>Panels to rows of the given length, in place; nothing when the length is 0.</summary>
    /// <exception cref="InvalidOperationException">The values are not whole panels.</exception>
    internal static void Unpack(Span<float> values, int rowLength) => Rearrange(values, rowLength, Width, rowLength);

    private static void Rearrange(Span<float> values, int rows, int columns, int rowLength)
    {
        if (rowLength == 0)
        {
            return;
        }

        int length = Width * rowLength;
        if (values.Length % length != 0)
        {
            throw new InvalidOperationException($"{values.Length} values are not whole panels of {Width} rows of {rowLength}");
        }

        float[] panel = ArrayPool<float>.Shared.Rent(length);
        for (int start = 0; start < values.Length; start += length)
        {
            var target = values.Slice(start, length);
            target.CopyTo(panel);
            Transpose(panel, target, rows, columns);
        }

        ArrayPool<float>.Shared.Return(panel);
    }

    // [rows, columns] -> [columns, rows], in squares that stay in the first cache.
    private static void Transpose(ReadOnlySpan<float> source, Span<float> target, int rows, int columns)
    {
        const int edge = 16;
        for (int row0 = 0; row0 < rows; row0 += edge)
        {
            for (int column0 = 0; column0 < columns; column0 += edge)
            {
                for (int row = row0; row < Math.Min(rows, row0 + edge); row++)
                {
                    for (int column = column0; column < Math.Min(columns, column0 + edge); column++)
                    {
                        target[(column * rows) + row] = source[(row * columns) + column];
                    }
                }
            }
        }
    }
}
