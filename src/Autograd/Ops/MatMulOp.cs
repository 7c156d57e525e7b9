using Ldvc.Kernels.Devices;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Matrix products, batched; either side as it is or transposed.</summary>
public static class MatMulOp
{
    // The largest batch of one launch on a GPU.
    private const int MaxBatch = ushort.MaxValue;

    /// <summary>
    /// a [batch, M, K] (transposed: [batch, K, M]) times b [batch, K, N] (transposed: [batch, N, K]) -> [batch, M, N]. Batch dimensions, any number
    /// of them, are the same on both sides, or one side has none (or ones) and its matrix is used for all.
    /// </summary>
    public static Variable MatMul(this Tape tape, Variable a, Variable b, bool transposeA = false, bool transposeB = false)
    {
        var sizes = ProductSizes.Of(Guard.Floats(tape, "matmul", a), Guard.Floats(tape, "matmul", b), transposeA, transposeB);
        var y = Guard.Result(tape, "matmul", sizes.Result);
        Run(tape.Kernels, sizes.Forward(a.Value, b.Value, y), y);
        var result = tape.Result(y, a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new MatMulNode(result, a, b, sizes));
        }

        return result;
    }

    /// <summary>
    /// Runs a batch of any size. One that shares its result adds up one product after the other; of no products, or of products over nothing (the
    /// gradient behind an empty result), the sum is zero.
    /// </summary>
    internal static void Run(KernelSet kernels, Gemm gemm, Tensor target)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.K == 0 || gemm.Batch == 0)
        {
            if (!gemm.Accumulate)
            {
                target.Clear();
            }

            return;
        }

        int each = gemm.StrideC == 0 ? 1 : MaxBatch;
        bool accumulate = gemm.Accumulate;
        for (int first = 0; first < gemm.Batch; first += each)
        {
            kernels.MatMul.Run(gemm.Products(first, Math.Min(each, gemm.Batch - first)) with { Accumulate = accumulate });
            accumulate |= gemm.StrideC == 0;
        }
    }

    private sealed class MatMulNode : Node
    {
        private readonly Variable _a;
        private readonly Variable _b;
        private readonly Tensor? _savedA;
        private readonly Tensor? _savedB;
        private readonly ProductSizes _sizes;

        internal MatMulNode(Variable output, Variable a, Variable b, in ProductSizes sizes)
            : base(output)
        {
            (_a, _b, _sizes) = (a, b, sizes);
            _savedA = b.RequiresGradient ? Save(a.Value) : null;
            _savedB = a.RequiresGradient ? Save(b.Value) : null;
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_savedB is not null)
            {
                var da = _a.GradientTarget(out bool accumulate);
                Run(kernels, _sizes.GradientA(dy, _savedB, da) with { Accumulate = accumulate }, da);
            }

            if (_savedA is not null)
            {
                var db = _b.GradientTarget(out bool accumulate);
                Run(kernels, _sizes.GradientB(dy, _savedA, db) with { Accumulate = accumulate }, db);
            }
        }
    }
}
