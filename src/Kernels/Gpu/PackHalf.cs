using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Gpu;

internal readonly struct PackArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<Halves8> Target { get; init; }

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

    /// <summary>What numbers are multiplied with, where Scaled is 1.</summary>
    internal ArrayView<float> Scale { get; init; }

    internal int Scaled { get; init; }

    /// <summary>Where numbers that are too large are taken down.</summary>
    internal ArrayView<int> Overflow { get; init; }
}

/// <summary>
/// Rounds matrices to 16 bits for the tensor-core kernels, each row padded with zeros to whole chunks of 8. One thread a chunk: 32 bytes in, 16 out,
/// no reuse: limited by memory. It is worth a pass of its own: the products read every input many times over, at half the bytes, and the copies can
/// go to shared memory by cp.async, without passing through registers.
/// </summary>
internal static class PackHalf
{
    internal const int GroupSize = GpuPlan.Threads;

    private static readonly GpuKernel<PackArgs> s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    /// <summary>The kernel for a type.</summary>
    internal static GpuKernel<PackArgs> Kernel(DType type) => type == DType.Float16 ? s_fp16 : s_bf16;

    /// <summary>Chunks of a row.</summary>
    internal static int RowChunks(int columns) => (columns + 7) / 8;

    internal static void Run<TFormat>(PackArgs args)
        where TFormat : struct, IHalfFormat
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Chunks)
        {
            Chunk<TFormat>(args, i);
        }
    }

    /// <summary>Rounds one chunk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Chunk<TFormat>(PackArgs args, int i)
        where TFormat : struct, IHalfFormat
    {
        int rowChunks = RowChunks(args.Columns), row = i / rowChunks, column = (i - (row * rowChunks)) * 8, matrix = row / args.Rows;
        int at = (matrix * args.Matrix) + ((row - (matrix * args.Rows)) * args.Row) + column;
        bool whole = column + 8 <= args.Columns && args.Aligned != 0;
        Float4 low, high;
        if (whole)
        {
            var quads = args.Source.Cast<Float4>();
            low = quads[at / 4];
            high = quads[(at / 4) + 1];
        }
        else
        {
            int count = args.Columns - column;
            low = new Float4(One(args, at, count, 0), One(args, at, count, 1), One(args, at, count, 2), One(args, at, count, 3));
            high = new Float4(One(args, at, count, 4), One(args, at, count, 5), One(args, at, count, 6), One(args, at, count, 7));
        }

        float factor = TFormat.Factor(args.Scale, 0, args.Scaled);
        Halves4 first = Halves4.Round<TFormat>(Times<TFormat>(low, factor), args.Overflow), second = Halves4.Round<TFormat>(
            Times<TFormat>(high, factor), args.Overflow);
        Halves8 chunk;
        chunk.X = first.X;
        chunk.Y = first.Y;
        chunk.Z = second.X;
        chunk.W = second.Y;
        args.Target[i] = chunk;
    }

    /// <summary>Four numbers times a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Float4 Times<TFormat>(Float4 x, float factor)
        where TFormat : struct, IHalfFormat => new(
            TFormat.Times(x.X, factor), TFormat.Times(x.Y, factor), TFormat.Times(x.Z, factor), TFormat.Times(x.W, factor));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float One(PackArgs args, int at, int count, int i) => i < count ? args.Source[at + i] : 0f;

    private static GpuKernel<PackArgs> Define<TFormat>()
        where TFormat : struct, IHalfFormat => new($"gpu.pack_{TFormat.Name}", Run<TFormat>, GroupSize) { AnyGroup = true, CudaOnly = true };
}
