using System.Numerics;

namespace Ldvc.Imaging;

/// <summary>
/// Antialiased separable resizing of 8-bit RGB, bit for bit as Pillow's Image.resize does it: rows first, rounded to 8 bits, then columns;
/// an axis whose size does not change is skipped. CLIP's preprocessing is defined by this arithmetic.
/// </summary>
internal static class Resample
{
    private const int Half = 1 << (ResampleWeights.Bits - 1);

    /// <summary>Resizes to width x height (both at least 1). Same size: a copy.</summary>
    public static RgbImage Antialiased(RgbImage image, int width, int height, ResampleFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var result = image;
        if (width != image.Width)
        {
            result = Rows(result, width, ResampleWeights.Create(image.Width, width, filter));
        }

        if (height != image.Height)
        {
            result = Columns(result, height, ResampleWeights.Create(image.Height, height, filter));
        }

        return ReferenceEquals(result, image) ? new RgbImage(width, height, (byte[])image.Pixels.Clone()) : result;
    }

    private static unsafe RgbImage Rows(RgbImage image, int width, ResampleWeights axis)
    {
        var result = new RgbImage(width, image.Height);
        fixed (byte* source = image.Pixels, destination = result.Pixels)
        fixed (int* weights = axis.Weights, first = axis.First, count = axis.Count)
        {
            byte* output = destination;
            for (int y = 0; y < image.Height; y++)
            {
                byte* row = source + (3L * image.Width * y);
                for (int x = 0; x < width; x++, output += 3)
                {
                    byte* input = row + (3L * first[x]);
                    int* weight = weights + ((long)x * axis.Stride);
                    int r = Half, g = Half, b = Half;
                    for (int k = 0; k < count[x]; k++, input += 3)
                    {
                        int w = weight[k];
                        r += input[0] * w;
                        g += input[1] * w;
                        b += input[2] * w;
                    }

                    output[0] = Round(r);
                    output[1] = Round(g);
                    output[2] = Round(b);
                }
            }
        }

        return result;
    }

    private static RgbImage Columns(RgbImage image, int height, ResampleWeights axis)
    {
        var result = new RgbImage(image.Width, height);
        int rowBytes = 3 * image.Width;
        var sums = new int[rowBytes];
        for (int y = 0; y < height; y++)
        {
            Array.Fill(sums, Half);
            for (int k = 0; k < axis.Count[y]; k++)
            {
                AddScaled(image.Pixels.AsSpan((axis.First[y] + k) * rowBytes, rowBytes), axis.Weights[(y * axis.Stride) + k], sums);
            }

            var output = result.Pixels.AsSpan(y * rowBytes, rowBytes);
            for (int i = 0; i < output.Length; i++)
            {
                output[i] = Round(sums[i]);
            }
        }

        return result;
    }

    private static void AddScaled(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        int i = 0;
        int lanes = Vector<byte>.Count;
        int quarter = Vector<int>.Count;
        var w = new Vector<int>(weight);
        for (; i <= row.Length - lanes; i += lanes)
        {
            // byte -> ushort -> int, four integer vectors in memory order.
            Vector.Widen(new Vector<byte>(row[i..]), out var low, out var high);
            Vector.Widen(low, out var v0, out var v1);
            Vector.Widen(high, out var v2, out var v3);
            var target = sums[i..];
            (new Vector<int>(target) + (v0.As<uint, int>() * w)).CopyTo(target);
            (new Vector<int>(target[quarter..]) + (v1.As<uint, int>() * w)).CopyTo(target[quarter..]);
            (new Vector<int>(target[(2 * quarter)..]) + (v2.As<uint, int>() * w)).CopyTo(target[(2 * quarter)..]);
            (new Vector<int>(target[(3 * quarter)..]) + (v3.As<uint, int>() * w)).CopyTo(target[(3 * quarter)..]);
        }

        for (; i < row.Length; i++)
        {
            sums[i] += row[i] * weight;
        }
    }

    private static byte Round(int sum) => (byte)Math.Clamp(sum >> ResampleWeights.Bits, 0, 255);
}
