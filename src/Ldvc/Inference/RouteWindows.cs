using Ldvc.Kernels.RouteAttention;

namespace Ldvc.Inference;

/// <summary>Where the windows of route attention lie (method.md 5): numbered row by row, the last row and column may be smaller.</summary>
internal static class RouteWindows
{
    /// <summary>Rows and columns of patches of a window.</summary>
    internal static (int Top, int Left, int Height, int Width) Place(in RouteSizes sizes, int window)
    {
        int top = window / sizes.WindowColumns * sizes.WindowHeight, left = window % sizes.WindowColumns * sizes.WindowWidth;
        return (top, left, Math.Min(sizes.WindowHeight, sizes.GridHeight - top), Math.Min(sizes.WindowWidth, sizes.GridWidth - left));
    }

    /// <summary>Patches in a window.</summary>
    internal static long Tokens(in RouteSizes sizes, int window)
    {
        var (_, _, height, width) = Place(sizes, window);
        return (long)height * width;
    }

    /// <summary>The window that holds a place given as shares of the picture's width and height, 0 to 1.</summary>
    internal static int At(in RouteSizes sizes, double x, double y)
    {
        int column = Math.Clamp((int)(x * sizes.GridWidth), 0, sizes.GridWidth - 1), row = Math.Clamp(
            (int)(y * sizes.GridHeight), 0, sizes.GridHeight - 1);
        return (row / sizes.WindowHeight * sizes.WindowColumns) + (column / sizes.WindowWidth);
    }

    /// <summary>The windows that a window of a picture attends to, best first.</summary>
    internal static ReadOnlySpan<int> Chosen(RouteTable route, int picture, int window) =>
        route.Chosen.AsSpan(((picture * route.Sizes.Windows) + window) * route.Sizes.TopK, route.Sizes.TopK);
}
