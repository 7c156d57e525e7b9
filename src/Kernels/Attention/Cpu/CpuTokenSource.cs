namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>Yields the token rows that a tile meets, a chunk at a time: a range of a sequence, or the windows of a route.</summary>
internal unsafe interface ITokenSource
{
    /// <summary>Writes at most <paramref name="capacity"/> further row numbers and returns how many; 0 at the end.</summary>
    int Next(int* rows, int capacity);
}

/// <summary>Rows start .. end - 1.</summary>
internal unsafe struct TokenRange(int start, int end) : ITokenSource
{
    private int _next = start;

    public int Next(int* rows, int capacity)
    {
        int count = Math.Clamp(end - _next, 0, capacity);
        for (int i = 0; i < count; i++)
        {
            rows[i] = _next++;
        }

        return count;
    }
}
