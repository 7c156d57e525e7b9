using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Gpu;

internal readonly struct WidenArgs
{
    internal ArrayView<Bf16x8> Source { get; init; }

    internal ArrayView<Float4> Target { get; init; }

    /// <summary>Of one matrix.</summary>
    internal int Rows { get; init; }

    /// <summary>Chunks of 8 numbers in a row that is wanted.</summary>
    internal int Columns { get; init; }

    /// <summary>Chunks from row to row, and from matrix to matrix, of the source.</summary>
    internal int Row { get; init; }

    internal int Matrix { get; init; }

    /// <summary>Chunks of all matrices.</summary>
    internal int Chunks { get; init; }
}

/// <summary>
/// The inverse of <see cref="PackBf16"/>: bf16 rows as dense float32 ones, exactly. For portable kernels that take the place of tensor-core ones. One thread a
/// chunk: 16 bytes in, 32 out; limited by memory.
/// </summary>
internal static class WidenBf16
{
    internal static readonly GpuKernel<WidenArgs> Kernel = new("gpu.widen_bf16", Run, PackBf16.GroupSize) { AnyGroup = true, CudaOnly = true };

    internal static void Run(WidenArgs args)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Chunks)
        {
            int row = i / args.Columns, matrix = row / args.Rows;
            Bf16x8 chunk = args.Source[(matrix * args.Matrix) + ((row - (matrix * args.Rows)) * args.Row) + i - (row * args.Columns)];
            args.Target[2 * i] = new Float4(Bf16.Low(chunk.X), Bf16.High(chunk.X), Bf16.Low(chunk.Y), Bf16.High(chunk.Y));
            args.Target[(2 * i) + 1] = new Float4(Bf16.Low(chunk.Z), Bf16.High(chunk.Z), Bf16.Low(chunk.W), Bf16.High(chunk.W));
        }
    }
}
