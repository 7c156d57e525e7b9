using System.Runtime.InteropServices;

namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>
/// Carves a tile's scratch memory into cache-line aligned pieces. Tiles take it from the stack; head dimensions far beyond the usual, which would
/// not fit, from native memory for the duration of the tile.
/// </summary>
internal unsafe ref struct CpuScratch
{
    // Floats of a cache line.
    private const int Line = 16;
    private const nuint LineBytes = Line * sizeof(float);

    private readonly void* _native;
    private float* _next;

    /// <summary>Uses the given memory, or allocates when it is null.</summary>
    internal CpuScratch(float* memory, long floats)
    {
        _native = memory == null ? NativeMemory.Alloc((nuint)floats * sizeof(float)) : null;
        nuint start = (nuint)(memory == null ? _native : memory);
        _next = (float*)((start + LineBytes - 1) & ~(LineBytes - 1));
    }

    /// <summary>Floats that a piece takes at most, alignment included.</summary>
    internal static long Piece(long floats) => floats + Line;

    internal float* Take(long floats)
    {
        float* piece = _next;
        _next += (floats + Line - 1) / Line * Line;
        return piece;
    }

    internal readonly void Free() => NativeMemory.Free(_native);
}
