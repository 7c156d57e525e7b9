using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

internal readonly struct SplitSumArgs
{
    /// <summary>C and the epilogue.</summary>
    internal GemmArgs Product { get; init; }

    /// <summary>[Parts, M, N].</summary>
    internal ArrayView<float> Sums { get; init; }

    internal int Parts { get; init; }
}

/// <summary>
/// The second pass of a split product: a thread adds the parts of four neighbouring results, the first part first, and finishes them. Limited by
/// memory: 4 bytes a part and 4 or more for C, most of it in the second-level cache.
/// </summary>
internal static class GpuSplitSum
{
    internal static readonly GpuKernel<SplitSumArgs> Kernel = new("matmul.split_sum", Run, MatMulTiles.SplitSumThreads) { AnyGroup = true };

    internal static void Run(SplitSumArgs args)
    {
        int m = args.Product.M, n = args.Product.N, quads = (n + 3) / 4;
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX, row = i / quads, column = 4 * (i - (row * quads));
        if (row < m)
        {
            var sum = new Float4(0f, 0f, 0f, 0f);
            for (int part = 0; part < args.Parts; part++)
            {
                sum = Float4.Add(sum, Load(args, (((part * m) + row) * n) + column, n - column));
            }

            GpuGemmEpilogue.Store(args.Product, sum, row, column);
        }
    }

    private static Float4 Load(in SplitSumArgs args, int at, int left) =>
        args.Product.N % 4 == 0 ? PackedAccess.Load(args.Sums, at, left) : SingleAccess.Load(args.Sums, at, left);
}
