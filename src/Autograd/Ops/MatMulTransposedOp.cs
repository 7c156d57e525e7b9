using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>C = alpha A B^T per batch element: all pairs of rows, as in mask logits and contrastive logits.</summary>
public static class MatMulTransposedOp
{
    private const string Name = "matmul_transposed";

    /// <summary>a [B, M, K], b [B, N, K] -> [B, M, N]; two-dimensional operands are a batch of one and give [M, N].</summary>
    public static Variable MatMulTransposed(this Tape tape, Variable a, Variable b, float alpha)
    {
        Shape left = Guard.Floats(tape, Name, a), right = Guard.Floats(tape, Name, b);
        bool batched = left.Rank == 3;
        if (left.Rank is not (2 or 3) || left.Rank != right.Rank)
        {
            throw new ArgumentException($"{Name}: a and b must be [M, K] and [N, K], or [B, M, K] and [B, N, K], got {left} and {right}");
        }

        int batch = batched ? left[0] : 1, m = left[-2], n = right[-2], k = left[-1];
        if (right[-1] != k || (batched && right[0] != batch))
        {
            throw new ArgumentException($"{Name}: b must have the batch and the inner size of a, got {left} and {right}");
        }

        Guard.Finite(Name, alpha, left);
        var y = Guard.Result(tape, Name, batched ? new Shape(batch, m, n) : new Shape(m, n));
        var product = new Gemm(m, n, k, a.Value, b.Value, y)
        {
            TransposeB = true,
            Ldb = k,
            Alpha = alpha,
            Batch = batch,
            StrideA = (long)m * k,
            StrideB = (long)n * k,
            StrideC = (long)m * n,
        };
        MatMulOp.Run(tape.Kernels, product, y);
        var result = tape.Result(y, a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new MatMulTransposedNode(result, a, b, alpha, batch, m, n, k));
        }

        return result;
    }

    private sealed class MatMulTransposedNode : Node
    {
        private readonly Variable _a;
        private readonly Variable _b;
        private readonly Tensor? _savedA;
        private readonly Tensor? _savedB;
        private readonly float _alpha;
        private readonly int _batch;
        private readonly int _m;
        private readonly int _n;
        private readonly int _k;

        internal MatMulTransposedNode(Variable output, Variable a, Variable b, float alpha, int batch, int m, int n, int k)
            : base(output)
        {
            (_a, _b, _alpha, _batch, _m, _n, _k) = (a, b, alpha, batch, m, n, k);
            _savedA = b.RequiresGradient ? Save(a.Value) : null;
            _savedB = a.RequiresGradient ? Save(b.Value) : null;
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_savedB is not null)
            {
                var da = _a.GradientTarget(out bool accumulate);
                var product = new Gemm(_m, _k, _n, dy, _savedB, da)
                {
                    Alpha = _alpha,
                    Accumulate = accumulate,
                    Batch = _batch,
                    StrideA = (long)_m * _n,
                    StrideB = (long)_n * _k,
                    StrideC = (long)_m * _k,
                };
                MatMulOp.Run(kernels, product, da);
            }

            if (_savedA is not null)
            {
                var db = _b.GradientTarget(out bool accumulate);
                var product = new Gemm(_n, _k, _m, dy, _savedA, db)
                {
                    TransposeA = true,
                    Lda = _n,
                    Alpha = _alpha,
                    Accumulate = accumulate,
                    Batch = _batch,
                    StrideA = (long)_m * _n,
                    StrideB = (long)_m * _k,
                    StrideC = (long)_n * _k,
                };
                MatMulOp.Run(kernels, product, db);
            }
        }
    }
}
