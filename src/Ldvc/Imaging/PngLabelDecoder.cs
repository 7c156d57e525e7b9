using System.IO.Compression;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>The pixel level of PNG for one number per pixel: inflate, undo the row filters, unpack bits, place the Adam7 passes.</summary>
internal static class PngLabelDecoder
{
    // Adam7: first column, first row, column step, row step of each pass.
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
    [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ];

    private static readonly (int X, int Y, int StepX, int StepY)[] Plain = [(0, 0, 1, 1)];

    /// <summary>
    /// Decodes the joined IDAT data into <paramref name="labels"/>, one number per pixel. Memory is bounded by the header's size: row by row, never
    /// more than it announces.
    /// </summary>
    public static void Decode(PngHeader header, Stream compressed, Span<ushort> labels, string name)
    {
        int pixelBytes = Math.Max(1, header.BitDepth / 8 * header.Samples);
        try
        {
            using var zlib = new ZLibStream(compressed, CompressionMode.Decompress);
            foreach (var (x0, y0, stepX, stepY) in header.Interlaced ? Adam7 : Plain)
            {
                int width = Steps(header.Width, x0, stepX);
                int height = Steps(header.Height, y0, stepY);
                if (width == 0 || height == 0)
                {
                    continue;
                }

                var row = new byte[1 + header.RowBytes(width)];
                var previous = new byte[row.Length];
                for (int y = 0; y < height; y++)
                {
                    if (zlib.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length)
                    {
                        throw new InputException($"{name}: truncated, the pixel data of {header.Width}x{header.Height} ends early");
                    }

                    Unfilter(row.AsSpan(1), previous.AsSpan(1), row[0], pixelBytes, name);
                    long target = ((long)(y0 + (y * stepY)) * header.Width) + x0;
                    Unpack(row.AsSpan(1), labels[(int)target..], width, stepX, header, name);
                    (row, previous) = (previous, row);
                }
            }

            // Reading to the end also checks the zlib checksum.
            if (zlib.ReadByte() >= 0)
            {
                throw new InputException($"{name}: damaged, more pixel data than {header.Width}x{header.Height} needs");
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new InputException($"{name}: damaged, the pixel data cannot be inflated", e);
        }
    }

    private static int Steps(int size, int first, int step) => size <= first ? 0 : ((size - first - 1) / step) + 1;

    private static void Unfilter(Span<byte> row, ReadOnlySpan<byte> above, int filter, int bpp, string name)
    {
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (int i = bpp; i < row.Length; i++)
                {
                    row[i] += row[i - bpp];
                }

                break;
            case 2:
                for (int i = 0; i < row.Length; i++)
                {
                    row[i] += above[i];
                }

                break;
            case 3:
                for (int i = 0; i < row.Length; i++)
                {
                    int left = i >= bpp ? row[i - bpp] : 0;
                    row[i] += (byte)((left + above[i]) >> 1);
                }

                break;
            case 4:
                for (int i = 0; i < row.Length; i++)
                {
                    int left = i >= bpp ? row[i - bpp] : 0;
                    int corner = i >= bpp ? above[i - bpp] : 0;
                    row[i] += Paeth(left, above[i], corner);
                }

                break;
            default:
                throw new InputException($"{name}: damaged, unknown PNG row filter {filter}");
        }
    }

    private static byte Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner);
        int toUp = Math.Abs(left - corner);
        int toCorner = Math.Abs(left + up - (2 * corner));
        return (byte)(toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner);
    }

    private static void Unpack(ReadOnlySpan<byte> row, Span<ushort> target, int width, int step, PngHeader header, string name)
    {
        int depth = header.BitDepth;
        if (header.Samples > 1)
        {
            for (int x = 0; x < width; x++)
            {
                target[x * step] = Grey(row.Slice(x * header.Samples, header.Samples), header, name);
            }
        }
        else if (depth == 8)
        {
            for (int x = 0; x < width; x++)
            {
                target[x * step] = row[x];
            }
        }
        else if (depth == 16)
        {
            for (int x = 0; x < width; x++)
            {
                target[x * step] = (ushort)((row[2 * x] << 8) | row[(2 * x) + 1]);
            }
        }
        else
        {
            int perByte = 8 / depth;
            int mask = (1 << depth) - 1;
            for (int x = 0; x < width; x++)
            {
                int shift = 8 - (depth * ((x % perByte) + 1));
                target[x * step] = (ushort)((row[x / perByte] >> shift) & mask);
            }
        }
    }

    // Programs that know pictures only store the number three times.
    private static byte Grey(ReadOnlySpan<byte> pixel, PngHeader header, string name)
    {
        int colours = pixel.Length < 3 ? 1 : 3;
        if (colours == 3 && (pixel[0] != pixel[1] || pixel[0] != pixel[2]))
        {
            throw header.NotLabels(name, $" with the colour ({pixel[0]}, {pixel[1]}, {pixel[2]})");
        }

        return pixel.Length == colours || pixel[^1] == byte.MaxValue ? pixel[0] : throw header.NotLabels(name, " with transparent pixels");
    }
}
