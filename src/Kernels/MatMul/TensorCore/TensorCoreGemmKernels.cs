using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>The compiled forms of <see cref="TensorCoreGemm"/>: three kinds of numbers, two tiles, each operand stored either way.</summary>
internal static class TensorCoreGemmKernels
{
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_largeBf16 = Define<LargeTile, SumAlongRows, SumAcrossRows,
        HalfNumber<Bf16Format>>("bf16", MatMulTiles.LargeGroups);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_smallBf16 = Define<SmallTile, SumAlongRows, SumAcrossRows,
        HalfNumber<Bf16Format>>("bf16", MatMulTiles.SmallGroups);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_largeFp16 = Define<LargeTile, SumAlongRows, SumAcrossRows,
        HalfNumber<Fp16Format>>("fp16", MatMulTiles.LargeGroups);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_smallFp16 = Define<SmallTile, SumAlongRows, SumAcrossRows,
        HalfNumber<Fp16Format>>("fp16", MatMulTiles.SmallGroups);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_largeTf32 =
        Define<LargeTile, Tf32AlongRows, Tf32AcrossRows, Tf32Number>("tf32", MatMulTiles.LargeGroups);
    private static readonly GpuKernel<TensorCoreGemmArguments>[] s_smallTf32 =
        Define<SmallTile, Tf32AlongRows, Tf32AcrossRows, Tf32Number>("tf32", MatMulTiles.SmallGroups);

    /// <summary>Rows and columns of C that a group computes.</summary>
    internal static int Edge(bool large) => large ? LargeTile.Rows : SmallTile.Rows;

    /// <summary>The kernel for a precision other than float32, a tile and a storage of the operands.</summary>
    internal static GpuKernel<TensorCoreGemmArguments> Get(Precision precision, bool large, bool transposeA, bool transposeB)
    {
        var forms = precision switch
        {
            Precision.Tf32 => large ? s_largeTf32 : s_smallTf32,
            Precision.Fp16 => large ? s_largeFp16 : s_smallFp16,
            _ => large ? s_largeBf16 : s_smallBf16,
        };
        return forms[(transposeA ? 2 : 0) + (transposeB ? 1 : 0)];
    }

    private static GpuKernel<TensorCoreGemmArguments>[] Define<TTile, TAlong, TAcross, TNumber>(string number, int groups)
        where TTile : struct, IGemmTile<TTile>
        where TAlong : struct, IOperandLayout
        where TAcross : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber =>
    [
        DefineOne<TTile, TAlong, TAcross, TNumber>(number + "_nn", groups),
        DefineOne<TTile, TAlong, TAlong, TNumber>(number + "_nt", groups),
        DefineOne<TTile, TAcross, TAcross, TNumber>(number + "_tn", groups),
        DefineOne<TTile, TAcross, TAlong, TNumber>(number + "_tt", groups),
    ];

    private static GpuKernel<TensorCoreGemmArguments> DefineOne<TTile, TA, TB, TNumber>(string name, int groups)
        where TTile : struct, IGemmTile<TTile>
        where TA : struct, IOperandLayout
        where TB : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber =>
        new($"matmul.{name}.{TTile.Rows}x{TTile.Columns}", TensorCoreGemm.Run<TTile, TA, TB, TNumber>, TTile.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreGemm.Stages * (TTile.Rows + TTile.Columns) * TensorCoreGemm.RowChunks * 16,
            GroupsPerMultiprocessor = groups,
        };
}
