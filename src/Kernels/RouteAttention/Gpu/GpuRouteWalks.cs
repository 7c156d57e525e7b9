using Ldvc.Kernels.Attention.Gpu;


namespace Ldvc.Kernels.RouteAttention.Gpu;

/// <summary>Tiles of a window's queries that meet the tokens of the windows it chose, in the table's order.</summary>
internal readonly struct GpuChosenWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => GpuRouteWindow.Own(a, tile, rows, slot);

    public static int Start(GpuAttentionArguments a, int tile, int rows) => 0;

    public static int End(GpuAttentionArguments a, int batch, int tile, int rows) => a.TopK * GpuRouteWindow.Size(a);

    public static int Other(GpuAttentionArguments a, int batch, int tile, int rows, int position)
    {
        int size = GpuRouteWindow.Size(a), place = position / size;
        int window = a.Table[(((batch * a.Windows) + (tile / a.TilesPerWindow)) * a.TopK) + place];
        return GpuRouteWindow.Token(a, window, position - (place * size));
    }
}

/// <summary>Tiles of a window's keys that meet the queries of the windows that chose it, ascending.</summary>
internal readonly struct GpuChoosersWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => GpuRouteWindow.Own(a, tile, rows, slot);

    public static int Start(GpuAttentionArguments a, int tile, int rows) => 0;

    public static int End(GpuAttentionArguments a, int batch, int tile, int rows)
    {
        int at = (batch * (a.Windows + 1)) + (tile / a.TilesPerWindow);
        return (a.Offsets[at + 1] - a.Offsets[at]) * GpuRouteWindow.Size(a);
    }

    public static int Other(GpuAttentionArguments a, int batch, int tile, int rows, int position)
    {
        int size = GpuRouteWindow.Size(a), place = position / size;
        int start = a.Offsets[(batch * (a.Windows + 1)) + (tile / a.TilesPerWindow)];
        int window = a.List[(batch * a.Windows * a.TopK) + start + place];
        return GpuRouteWindow.Token(a, window, position - (place * size));
    }
}

/// <summary>Positions in windows. Every window has as many positions as a full one; those that a partial window lacks hold no token.</summary>
internal static class GpuRouteWindow
{
    internal static int Size(GpuAttentionArguments a) => a.WindowHeight * a.WindowWidth;

    internal static int Own(GpuAttentionArguments a, int tile, int rows, int slot)
    {
        int window = tile / a.TilesPerWindow, place = ((tile - (window * a.TilesPerWindow)) * rows) + slot;
        return place < Size(a) ? Token(a, window, place) : -1;
    }

    /// <summary>Token number of a place in a window, lines of the window from the top; -1 beyond the grid.</summary>
    internal static int Token(GpuAttentionArguments a, int window, int place)
    {
        int windowRow = window / a.WindowColumns, line = place / a.WindowWidth;
        int row = (windowRow * a.WindowHeight) + line;
        int column = ((window - (windowRow * a.WindowColumns)) * a.WindowWidth) + place - (line * a.WindowWidth);
        return row < a.GridHeight && column < a.GridWidth ? (row * a.GridWidth) + column : -1;
    }
}
