using Ldvc.Autograd;
using Ldvc.Imaging;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>
/// Draws which windows route attention chose for a query: they keep their colours, the rest fades, the query's own window is framed.
/// </summary>
internal static class RouteMap
{
    private const float Faded = 0.28f;
    private static readonly (byte R, byte G, byte B) Frame = (255, 40, 40);

    /// <summary>Runs one picture, as it is, through the model; the choices of each decoder layer with route attention.</summary>
    /// <param name="loaded">The model.</param>
    /// <param name="classes">Class embeddings t [C, E].</param>
    /// <param name="picture">Sides are multiples of the patch.</param>
    /// <param name="statistics">How pictures are normalised.</param>
    /// <exception cref="InputException">The device's precision does not hold the model's numbers.</exception>
    internal static IReadOnlyList<RouteTable> Choices(LoadedModel loaded, Tensor classes, RgbImage picture, ImageStatistics statistics)
    {
        var pixels = new float[picture.Pixels.Length];
        ClipPreprocess.Normalize(picture, statistics.Mean, statistics.Std, pixels);
        using var watch = new KernelWatch(loaded.Device);
        using var tape = new Tape(loaded.Device, recording: false);
        using var image = loaded.Device.FromHost(pixels, new Shape(1, 3, picture.Height, picture.Width));
        loaded.Model.Forward(tape, image, tape.Constant(classes.Share()));
        Fp16Overflow.Refuse(loaded.Device);
        return [.. watch.Routes];
    }

    /// <summary>Draws one picture of a batch.</summary>
    /// <param name="picture">The model's input, or an enlargement of it.</param>
    /// <param name="route">The choices.</param>
    /// <param name="index">The picture's index in the batch.</param>
    /// <param name="x">The query's place, as a share of the width.</param>
    /// <param name="y">The query's place, as a share of the height.</param>
    internal static RgbImage Draw(RgbImage picture, RouteTable route, int index, double x, double y)
    {
        RouteSizes sizes = route.Sizes;
        int own = RouteWindows.At(sizes, x, y);
        var chosen = new bool[sizes.Windows];
        foreach (int window in RouteWindows.Chosen(route, index, own))
        {
            chosen[window] = true;
        }

        var map = new RgbImage(picture.Width, picture.Height);
        int frame = Math.Max(1, Math.Min(picture.Width, picture.Height) / 96);
        for (int row = 0; row < picture.Height; row++)
        {
            for (int column = 0; column < picture.Width; column++)
            {
                int at = 3 * ((row * picture.Width) + column);
                int window = RouteWindows.At(sizes, (column + 0.5) / picture.Width, (row + 0.5) / picture.Height);
                if (window == own && OnEdge(picture, sizes, own, column, row, frame))
                {
                    (map.Pixels[at], map.Pixels[at + 1], map.Pixels[at + 2]) = Frame;
                    continue;
                }

                for (int c = 0; c < 3; c++)
                {
                    byte value = picture.Pixels[at + c];
                    map.Pixels[at + c] = chosen[window] ? value : (byte)(value * Faded);
                }
            }
        }

        return map;
    }

    private static bool OnEdge(RgbImage picture, in RouteSizes sizes, int window, int column, int row, int frame)
    {
        var (top, left, height, width) = RouteWindows.Place(sizes, window);
        double across = (double)picture.Width / sizes.GridWidth, down = (double)picture.Height / sizes.GridHeight;
        return column < (left * across) + frame || column >= ((left + width) * across) - frame
            || row < (top * down) + frame || row >= ((top + height) * down) - frame;
    }
}
