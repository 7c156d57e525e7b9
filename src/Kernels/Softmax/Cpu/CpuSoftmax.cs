using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Softmax.Cpu;

internal unsafe struct SoftmaxArguments
{
    public float* X;
    public float* Y;
    public float* Dy;
    public float* Dx;
    public bool Logarithm;
    public bool Accumulate;
    public int Outer;
    public int Length;
    public int Inner;
    public int Tiles;

    /// <summary>Blocks of columns in one outer index.</summary>
    public readonly int ColumnBlocks => (Inner + SoftmaxPlan.CpuColumns - 1) / SoftmaxPlan.CpuColumns;
}

/// <summary>
/// CPU softmax. Rows (inner 1) are walked by vectors along the row, other dimensions by vectors across the columns.
/// </summary>
internal sealed unsafe class CpuSoftmax(CpuThreads threads) : ISoftmaxKernels
{
    public void Forward(View x, View y, bool logarithm, int outer, int length, int inner)
    {
        var a = new SoftmaxArguments { X = x.Floats, Y = y.Floats, Logarithm = logarithm, Outer = outer, Length = length, Inner = inner };
        if (inner == 1)
        {
            a.Tiles = Tiling.Count(outer, length);
            SimdDispatch.For<CpuSoftmaxRows.ForwardTile, SoftmaxArguments>(threads, a.Tiles, &a);
        }
        else
        {
            a.Tiles = Tiling.Count((long)outer * a.ColumnBlocks, (long)SoftmaxPlan.CpuColumns * length);
            SimdDispatch.For<CpuSoftmaxColumns.ForwardTile, SoftmaxArguments>(threads, a.Tiles, &a);
        }
    }

    public void Backward(View y, View dy, View dx, bool logarithm, bool accumulate, int outer, int length, int inner)
    {
        var a = new SoftmaxArguments
        {
            Y = y.Floats,
            Dy = dy.Floats,
            Dx = dx.Floats,
            Logarithm = logarithm,
            Accumulate = accumulate,
            Outer = outer,
            Length = length,
            Inner = inner,
        };
        if (inner == 1)
        {
            a.Tiles = Tiling.Count(outer, length);
            SimdDispatch.For<CpuSoftmaxRows.BackwardTile, SoftmaxArguments>(threads, a.Tiles, &a);
        }
        else
        {
            a.Tiles = Tiling.Count((long)outer * a.ColumnBlocks, (long)SoftmaxPlan.CpuColumns * length);
            SimdDispatch.For<CpuSoftmaxColumns.BackwardTile, SoftmaxArguments>(threads, a.Tiles, &a);
        }
    }
}
