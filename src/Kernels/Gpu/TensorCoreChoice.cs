using Ldvc.Kernels.Attention;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Which products and attentions go to the tensor cores: the one place where device, precision and shape decide. Everything else of a GPU runs the
/// portable kernels whatever the precision.
/// </summary>
internal static class TensorCoreChoice
{
    /// <summary>Below this, a 64 x 64 tile is mostly padding.</summary>
    private const int SmallestEdge = 16;

    /// <summary>
    /// What a product multiplies with. With bf16, that is what reads or writes a tensor stored so: the frozen vision tower, nine tenths of the arithmetic. The rest
    /// takes tf32: its rounding would cost the mask logits several times their error, and move routes (docs/kernels.md has the numbers).
    /// </summary>
    internal static Precision Of(GpuDevice device, in Gemm gemm)
    {
        bool stored = gemm.A.IsBf16 || gemm.B.IsBf16 || gemm.C.IsBf16 || gemm.PreActivation.IsBf16;
        var precision = device.Precision == Precision.Bf16 && !stored ? Precision.Tf32 : device.Precision;
        bool takes = precision != Precision.Fp32 && gemm.M >= SmallestEdge && gemm.N >= SmallestEdge && gemm.K >= SmallestEdge;
        return takes && TensorCoreMatMul.Fits(gemm, precision) ? precision : Precision.Fp32;
    }

    /// <summary>
    /// How a frozen matrix [outputs, ...inputs] is stored on a device: in bf16 where its products multiply in bf16, provided that rows are whole chunks of 8
    /// numbers. Forward and input gradient read the same copy.
    /// </summary>
    internal static DType MatrixType(Device device, Shape shape)
    {
        long columns = shape.Count / shape[0];
        return device.Precision == Precision.Bf16 && columns % 8 == 0 && columns >= SmallestEdge && shape[0] >= SmallestEdge ? DType.BFloat16 : DType.Float32;
    }

    /// <summary>
    /// Whether an attention goes to the tensor cores: not that of texts, which is causal. A class name has nine tokens, and the error would be in its embedding for
    /// every pixel.
    /// </summary>
    internal static bool Takes(GpuDevice device, in AttentionSizes sizes, params ReadOnlySpan<TokenRows> written) =>
        device.Precision == Precision.Bf16 && sizes is { HeadDim: TensorCoreTile.HeadDim, Scale: > 0, Causal: false } && HavePairs(written);

    internal static bool Takes(GpuDevice device, in RouteSizes sizes, params ReadOnlySpan<TokenRows> written) =>
        device.Precision == Precision.Bf16 && sizes is { HeadDim: TensorCoreTile.HeadDim, Scale: > 0 } && HavePairs(written);

    // These kernels store two floats at a time.
    private static bool HavePairs(ReadOnlySpan<TokenRows> written)
    {
        foreach (var rows in written)
        {
            if ((rows.Data.Offset | rows.BatchStride | (uint)rows.RowStride) % 2 != 0)
            {
                return false;
            }
        }

        return true;
    }
}
