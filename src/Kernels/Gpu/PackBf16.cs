using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Gpu;

internal readonly struct PackArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<Bf16x8> Target { get; init; }

    /// <summary>Of one matrix.</summary>
    internal int Rows { get; init; }

    internal int Columns { get; init; }

    /// <summary>Floats from row to row, and from matrix to matrix, of the source.</summary>
    internal int Row { get; init; }

    internal int Matrix { get; init; }

    /// <summary>Chunks of all matrices.</summary>
    internal int Chunks { get; init; }

    /// <summary>1 when all rows start at multiples of 16 bytes.</summary>
    internal int Aligned { get; init; }
}

/// <summary>
/// Rounds matrices to bf16 for the tensor-core kernels, each row padded with zeros to whole chunks of 8. One thread a chunk: 32 bytes in, 16 out, no
/// reuse: limited by memory. It is worth a pass of its own: the products read every input many times over, at half the bytes, and the bf16 copies can go
/// to shared memory by cp.async, without passing through registers.
/// </summary>
internal static class PackBf16
{
    internal const int GroupSize = 256;

    internal static readonly GpuKernel<PackArgs> Kernel = new("gpu.pack_bf16", Run, GroupSize) { AnyGroup = true, CudaOnly = true };

    /// <summary>Chunks of a row.</summary>
    internal static int RowChunks(int columns) => (columns + 7) / 8;

    internal static void Run(PackArgs args)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Chunks)
        {
            Chunk(args, i);
        }
    }

    /// <summary>Rounds one chunk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Chunk(PackArgs args, int i)
    {
        int rowChunks = RowChunks(args.Columns), row = i / rowChunks, column = (i - (row * rowChunks)) * 8, matrix = row / args.Rows;
        int at = (matrix * args.Matrix) + ((row - (matrix * args.Rows)) * args.Row) + column;
        args.Target[i] = column + 8 <= args.Columns && args.Aligned != 0 ? Whole(args, at) : Part(args, at, args.Columns - column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Bf16x8 Whole(PackArgs args, int at)
    {
        var quads = args.Source.Cast<Float4>();
        Float4 low = quads[at / 4], high = quads[(at / 4) + 1];
        Bf16x8 chunk;
        chunk.X = Bf16.Pack(low.X, low.Y);
        chunk.Y = Bf16.Pack(low.Z, low.W);
        chunk.Z = Bf16.Pack(high.X, high.Y);
        chunk.W = Bf16.Pack(high.Z, high.W);
        return chunk;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Bf16x8 Part(PackArgs args, int at, int count)
    {
        Bf16x8 chunk;
        chunk.X = Bf16.Pack(One(args, at, count, 0), One(args, at, count, 1));
        chunk.Y = Bf16.Pack(One(args, at, count, 2), One(args, at, count, 3));
        chunk.Z = Bf16.Pack(One(args, at, count, 4), One(args, at, count, 5));
        chunk.W = Bf16.Pack(One(args, at, count, 6), One(args, at, count, 7));
        return chunk;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float One(PackArgs args, int at, int count, int i) => i < count ? args.Source[at + i] : 0f;
}
