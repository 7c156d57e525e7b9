using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Gpu;

internal readonly struct WidenArgs
{
    internal ArrayView<Halves8> Source { get; init; }

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

    /// <summary>A scale and its inverse; where Scaled is 1, numbers are multiplied with the inverse.</summary>
    internal ArrayView<float> Scale { get; init; }

    internal int Scaled { get; init; }
}

/// <summary>
/// The inverse of <see cref="PackHalf"/>: rows of 16-bit numbers as dense float32 ones, exactly. For portable kernels that take the place of
/// tensor-core ones. One thread a chunk: 16 bytes in, 32 out; limited by memory.
/// </summary>
internal static class WidenHalf
{
    private static readonly GpuKernel<WidenArgs> s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    /// <summary>The kernel for a type.</summary>
    internal static GpuKernel<WidenArgs> Kernel(DType type) => type == DType.Float16 ? s_fp16 : s_bf16;

    internal static void Run<TFormat>(WidenArgs args)
        where TFormat : struct, IHalfFormat
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Chunks)
        {
            int row = i / args.Columns, matrix = row / args.Rows;
            Halves8 chunk = args.Source[(matrix * args.Matrix) + ((row - (matrix * args.Rows)) * args.Row) + i - (row * args.Columns)];
            Halves4 first, second;
            first.X = chunk.X;
            first.Y = chunk.Y;
            second.X = chunk.Z;
            second.Y = chunk.W;
            float factor = TFormat.Factor(args.Scale, 1, args.Scaled);
            args.Target[2 * i] = PackHalf.Times<TFormat>(Halves4.Widen<TFormat>(first), factor);
            args.Target[(2 * i) + 1] = PackHalf.Times<TFormat>(Halves4.Widen<TFormat>(second), factor);
        }
    }

    private static GpuKernel<WidenArgs> Define<TFormat>()
        where TFormat : struct, IHalfFormat => new(
            $"gpu.widen_{TFormat.Name}", Run<TFormat>, PackHalf.GroupSize)
        { AnyGroup = true, CudaOnly = true };
}
