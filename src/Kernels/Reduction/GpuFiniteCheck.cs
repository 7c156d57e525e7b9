using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Reduction;

internal readonly struct FiniteArgs
{
    internal ChunkViews Chunks { get; init; }

    internal ArrayView<int> Table { get; init; }

    internal ArrayView<int> Found { get; init; }

    internal int Rows { get; init; }

    /// <summary>Tensors of the whole list minus those before this launch's first.</summary>
    internal int Left { get; init; }
}

/// <summary>Looks for NaN and infinity in many tensors in one launch. The only atomic is a maximum of integers, whose result knows no order. 4 bytes an element.</summary>
internal static class GpuFiniteCheck
{
    internal const int GroupSize = 256;

    internal static readonly GpuKernel<FiniteArgs> Kernel = new("reduction.find_not_finite", Run, GroupSize) { AnyGroup = true };

    internal static void Run(FiniteArgs args)
    {
        var table = args.Table;
        int row = GpuTensorTable.Find(table, args.Rows, Grid.IdxX), at = row * GpuTensorTable.RowLength;
        int count = table[at + GpuTensorTable.Elements];
        int start = (Grid.IdxX - table[at + GpuTensorTable.FirstGroup]) * GpuTensorTable.ElementsPerGroup;
        int end = IntrinsicMath.Min(count, start + GpuTensorTable.ElementsPerGroup);
        var values = ChunkViews.Pick(args.Chunks, table[at + GpuTensorTable.FirstView]);
        int offset = table[at + GpuTensorTable.FirstView + 1], bad = 0;
        for (int i = start + Group.IdxX; i < end; i += Group.DimX)
        {
            // All ones in the exponent: infinity or NaN.
            bad |= (Interop.FloatAsInt(values[offset + i]) & 0x7F800000u) == 0x7F800000u ? 1 : 0;
        }

        if (bad != 0)
        {
            Atomic.Max(ref args.Found[0], args.Left - row);
        }
    }
}
