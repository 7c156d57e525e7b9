using Ldvc.Tensors;

namespace Ldvc.Kernels.Segmentation;

/// <summary>Mask logits [C, h, w] of a window, and where on the canvas it lies.</summary>
internal readonly record struct WindowLogits(View Z, int Top, int Left);

/// <summary>What happens to mask logits at inference (method.md 8 and 9). Logits are [.., C, h, w], canvases [C, H, W].</summary>
internal interface ISegmentationKernels
{
    /// <summary>
    /// Adds score(bilinear z) - penalty[c] of one window to the canvas at (top, left); z [C, h, w] is resized to windowHeight x windowWidth.
    /// Also adds 1 to counts [H, W] over the window.
    /// </summary>
    void AddWindow(
        View z,
        View penalty,
        View canvas,
        View counts,
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth,
        int top,
        int left,
        WindowScore score = WindowScore.Sigmoid);

    /// <summary>
    /// Divides the canvas by counts, resizes bilinearly to outputHeight x outputWidth and takes the argmax over classes -> labels uint8 [H', W'],
    /// best float [H', W'] (the winning score; may be absent). Ties go to the lower class. The resized canvas is never stored.
    /// </summary>
    void Argmax(
        View canvas,
        View counts,
        View labels,
        View best,
        int classes,
        int canvasHeight,
        int canvasWidth,
        int outputHeight,
        int outputWidth,
        SoftmaxSums softmax = default);

    /// <summary>
    /// What AddWindow of all windows and then Argmax give, to the bit, without the canvas: probabilities of all classes at the picture's size take
    /// longer to write and read than to compute. The canvas is canvasHeight x canvasWidth; what windows cover beyond it is padding and left out.
    /// </summary>
    /// <returns>False where the device has no such kernel, or the windows lie too densely: nothing is done then.</returns>
    bool ArgmaxWindows(
        IReadOnlyList<WindowLogits> windows,
        View penalty,
        View labels,
        View best,
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth, int outputHeight, int outputWidth, WindowScore score = WindowScore.Sigmoid, SoftmaxSums softmax = default) => false;

    /// <summary>Pixels with best below threshold become 255.</summary>
    void ApplyBackground(View labels, View best, float threshold, long count);

    /// <summary>
    /// Adds to confusion [classes, classes + 1] at (truth, prediction) for every pixel whose truth is below classes; predictions of 255 count in the
    /// last column. Labels are bytes: those of more classes are merged on the host from several passes, and are counted there.
    /// </summary>
    void Confusion(View truth, View prediction, Span<long> confusion, int classes, long count);

    /// <summary>
    /// Transductive pseudo labels: where labels uint8 or int32 [B, H, W] equal the marker, writes argmax over the classes with unseen[c] != 0
    /// (bytes [C]) of the bilinearly upsampled z [B, C, h, w].
    /// </summary>
    void PseudoLabels(View z, View labels, View unseen, int marker, int batch, int classes, int height, int width, int imageHeight, int imageWidth);
}
