using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Sizes of a batched product C = op(A) op(B), and the three products of its forward and backward.</summary>
/// <param name="Result">C's shape.</param>
/// <param name="Batch">Products.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">What is summed over.</param>
/// <param name="SharedA">All products have one A.</param>
/// <param name="SharedB">All products have one B.</param>
/// <param name="TransposeA">A is stored as K x M.</param>
/// <param name="TransposeB">B is stored as N x K.</param>
internal readonly record struct ProductSizes(
    Shape Result, int Batch, int M, int N, int K, bool SharedA, bool SharedB, bool TransposeA, bool TransposeB)
{
    private long StrideA => SharedA ? 0 : (long)M * K;

    private long StrideB => SharedB ? 0 : (long)K * N;

    private long StrideC => (long)M * N;

    /// <summary>The sizes of two operands' product.</summary>
    internal static ProductSizes Of(Shape a, Shape b, bool transposeA, bool transposeB)
    {
        string form = $"matmul: {a}{(transposeA ? " transposed" : "")} by {b}{(transposeB ? " transposed" : "")}";
        if (a.Rank < 2 || b.Rank < 2)
        {
            throw new ArgumentException($"{form}: both must have at least 2 dimensions");
        }

        int m = a[transposeA ? -1 : -2], k = a[transposeA ? -2 : -1], n = b[transposeB ? -2 : -1], other = b[transposeB ? -1 : -2];
        if (k != other)
        {
            throw new ArgumentException($"{form}: the inner sizes {k} and {other} must be equal");
        }

        if (k == 0)
        {
            throw new ArgumentException($"{form}: the inner size must be at least 1");
        }

        // Equal batches count as one dimension; a side without any, or with ones alone, is shared.
        long batchA = a.Count / Math.Max(1, (long)m * k), batchB = b.Count / Math.Max(1, (long)k * n);
        var batch = Broadcasting.ShapeOf("matmul", Outer(a), Outer(b));

        // Matrices of no elements may be more than an int counts.
        if (batch.Count > Guard.MaxElements)
        {
            throw new ExtentException($"{form}: {batch.Count} products, expected fewer than 2^31");
        }

        bool sharedA = batchA == 1 && batch.Count != 1, sharedB = batchB == 1 && batch.Count != 1;
        if ((!sharedA && batchA != batch.Count && m != 0) || (!sharedB && batchB != batch.Count && n != 0))
        {
            throw new ArgumentException($"{form}: batch dimensions must be the same on both sides, or one side has none");
        }

        Span<int> sizes = stackalloc int[batch.Rank + 2];
        for (int i = 0; i < batch.Rank; i++)
        {
            sizes[i] = batch[i];
        }

        (sizes[^2], sizes[^1]) = (m, n);
        int count = (int)batch.Count;
        return sharedB && !transposeA
            ? new ProductSizes(new Shape(sizes), 1, checked(count * m), n, k, false, false, transposeA, transposeB)
            : new ProductSizes(new Shape(sizes), count, m, n, k, sharedA, sharedB, transposeA, transposeB);
    }

    /// <summary>C = op(A) op(B).</summary>
    internal Gemm Forward(Tensor a, Tensor b, Tensor c) => Product(M, N, K, a, TransposeA, StrideA, b, TransposeB, StrideB, c, StrideC);

    /// <summary>dA = dC op(B)^T, or op(B) dC^T when A is stored transposed.</summary>
    internal Gemm GradientA(Tensor dc, Tensor b, Tensor da) => TransposeA
        ? Product(K, M, N, b, TransposeB, StrideB, dc, true, StrideC, da, StrideA)
        : Product(M, K, N, dc, false, StrideC, b, !TransposeB, StrideB, da, StrideA);

    /// <summary>dB = op(A)^T dC, or dC^T op(A) when B is stored transposed.</summary>
    internal Gemm GradientB(Tensor dc, Tensor a, Tensor db) => TransposeB
        ? Product(N, K, M, dc, true, StrideC, a, TransposeA, StrideA, db, StrideB)
        : Product(K, N, M, a, !TransposeA, StrideA, dc, false, StrideC, db, StrideB);

    private static Shape Outer(Shape shape)
    {
        Span<int> sizes = stackalloc int[shape.Rank - 2];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = shape[i];
        }

        return new Shape(sizes);
    }

    private Gemm Product(
        int m, int n, int k, Tensor a, bool transposeA, long strideA, Tensor b, bool transposeB, long strideB, Tensor c, long strideC) =>
        new(m, n, k, a, b, c)
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Lda = transposeA ? m : k,
            Ldb = transposeB ? k : n,
            Batch = Batch,
            StrideA = strideA,
            StrideB = strideB,
            StrideC = strideC,
        };
}
