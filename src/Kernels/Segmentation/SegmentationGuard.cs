namespace Ldvc.Kernels.Segmentation;

/// <summary>What every back end refuses in the same words.</summary>
internal static class SegmentationGuard
{
    /// <summary>A window must lie on the canvas.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It leaves the canvas.</exception>
    internal static void Window(int windowHeight, int windowWidth, int canvasHeight, int canvasWidth, int top, int left)
    {
        if (top < 0 || left < 0 || windowHeight > canvasHeight - top || windowWidth > canvasWidth - left)
        {
            throw new ArgumentOutOfRangeException(
                nameof(top),
                $"add_window: a window of {windowHeight}x{windowWidth} at ({top}, {left}) leaves the canvas of {canvasHeight}x{canvasWidth}");
        }
    }

    /// <summary>Number of counters of a confusion matrix [classes, classes + 1].</summary>
    /// <exception cref="ArgumentException">There is no room for them.</exception>
    internal static int Counters(ReadOnlySpan<long> confusion, int classes)
    {
        int pairs = classes * (classes + 1);
        return confusion.Length >= pairs
            ? pairs
            : throw new ArgumentException($"confusion: {classes} classes need {pairs} counters, got {confusion.Length}", nameof(confusion));
    }
}
