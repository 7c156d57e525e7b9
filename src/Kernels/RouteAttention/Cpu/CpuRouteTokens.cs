using Ldvc.Kernels.Attention.Cpu;


namespace Ldvc.Kernels.RouteAttention.Cpu;

/// <summary>The token rows of a list of windows, window after window, each from its top left to its bottom right.</summary>
internal unsafe struct CpuRouteTokens(RouteSizes* sizes, int* windows, int count) : ITokenSource
{
    private int _window;
    private int _line;
    private int _column;

    public int Next(int* rows, int capacity)
    {
        int written = 0;
        while (written < capacity && _window < count)
        {
            int top = windows[_window] / sizes->WindowColumns * sizes->WindowHeight,
                left = windows[_window] % sizes->WindowColumns * sizes->WindowWidth;
            int height = Math.Min(sizes->WindowHeight, sizes->GridHeight - top), width = Math.Min(sizes->WindowWidth, sizes->GridWidth - left);
            while (written < capacity && _line < height)
            {
                int row = ((top + _line) * sizes->GridWidth) + left;
                while (written < capacity && _column < width)
                {
                    rows[written++] = row + _column++;
                }

                if (_column == width)
                {
                    _column = 0;
                    _line++;
                }
            }

            if (_line == height)
            {
                _line = 0;
                _window++;
            }
        }

        return written;
    }
}
