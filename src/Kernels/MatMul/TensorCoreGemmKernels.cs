using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul;

/// <summary>The compiled forms of <see cref="TensorCoreGemm"/>: two tiles, each operand stored either way.</summary>
internal static class TensorCoreGemmKernels
{
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_large = Define<LargeTile>(2);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_small = Define<SmallTile>(4);

    /// <summary>Rows and columns of C that a group computes.</summary>
    internal static int Edge(bool large) => large ? LargeTile.Rows : SmallTile.Rows;

    /// <summary>The kernel for a tile and a storage of the operands.</summary>
    internal static GpuKernel<TensorCoreGemmArguments> Get(bool large, bool transposeA, bool transposeB) =>
        (large ? s_large : s_small)[(transposeA ? 2 : 0) + (transposeB ? 1 : 0)];

    // No card with tensor cores has fewer multiprocessors; ILGPU's simulator says that it has one.
    private const int FewestMultiprocessors = 8;

    /// <summary>
    /// Large tiles reuse what they load twice as often; they are taken once there are enough of them to give each multiprocessor one.
    /// </summary>
    internal static bool TakesLarge(int m, int n, int batch, int multiprocessors) =>
        (long)GpuSizes.Groups(m, LargeTile.Rows) * GpuSizes.Groups(n, LargeTile.Columns) * batch >= Math.Max(multiprocessors, FewestMultiprocessors);

    private static GpuKernel<TensorCoreGemmArguments>[] Define<TTile>(int groups)
        where TTile : struct, IGemmTile<TTile> =>
    [
        Define<TTile, SumAlongRows, SumAcrossRows>("nn", groups),
        Define<TTile, SumAlongRows, SumAlongRows>("nt", groups),
        Define<TTile, SumAcrossRows, SumAcrossRows>("tn", groups),
        Define<TTile, SumAcrossRows, SumAlongRows>("tt", groups),
    ];

    private static GpuKernel<TensorCoreGemmArguments> Define<TTile, TA, TB>(string storage, int groups)
        where TTile : struct, IGemmTile<TTile>
        where TA : struct, IOperandLayout
        where TB : struct, IOperandLayout =>
        new($"matmul.bf16_{storage}.{TTile.Rows}x{TTile.Columns}", TensorCoreGemm.Run<TTile, TA, TB>, TTile.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreGemm.Stages * (TTile.Rows + TTile.Columns) * TensorCoreGemm.Depth * 2,
            GroupsPerMultiprocessor = groups,
        };
}
