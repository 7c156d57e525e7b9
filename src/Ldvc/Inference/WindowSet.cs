using Ldvc.Kernels.Segmentation;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>The windows of a picture and their mask logits.</summary>
internal sealed class WindowSet(int height, int width, int paddedHeight, int paddedWidth, (int Height, int Width) window) : IDisposable
{
    /// <summary>Height of the picture as it was resized.</summary>
    internal int Height { get; } = height;

    /// <summary>Width of the picture as it was resized.</summary>
    internal int Width { get; } = width;

    /// <summary>Height with the padding that the windows need.</summary>
    internal int PaddedHeight { get; } = paddedHeight;

    /// <summary>Width with the padding that the windows need.</summary>
    internal int PaddedWidth { get; } = paddedWidth;

    /// <summary>Size of a window.</summary>
    internal (int Height, int Width) Window { get; } = window;

    /// <summary>Where the windows lie.</summary>
    internal List<(int Top, int Left)> Places { get; } = [];

    /// <summary>Logits [B, C, h, w] of one batch of windows after the other.</summary>
    internal List<Tensor> Logits { get; } = [];

    /// <inheritdoc/>
    public void Dispose() => Logits.ForEach(logits => logits.Dispose());

    /// <summary>Every window's logits from one name on [C - first, h, w], and its place.</summary>
    internal List<WindowLogits> Views(int first = 0)
    {
        var views = new List<WindowLogits>(Places.Count);
        foreach (var logits in Logits)
        {
            long each = logits.Count / logits.Shape[0], skipped = first * (each / logits.Shape[1]);
            for (int i = 0; i < logits.Shape[0]; i++)
            {
                var (top, left) = Places[views.Count];
                views.Add(new WindowLogits(logits.View.Shift((i * each) + skipped), top, left));
            }
        }

        return views;
    }
}
