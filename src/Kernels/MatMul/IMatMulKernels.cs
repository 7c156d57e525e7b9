using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// One (batched) matrix product with its epilogue: C = residual + activation(alpha * op(A) op(B) + bias), row-major, op being the transpose or
/// nothing. Accumulate adds to C instead and takes no epilogue. With ActivationGradientOf the result is multiplied by the activation's derivative
/// at those values instead of being activated. A, B, C and PreActivation may be bf16 or fp16 on a GPU (<see cref="View.Type"/>), in rows of whole
/// chunks of 8; what is computed between them is float32.
/// </summary>
internal record struct Gemm
{
    /// <summary>A plain product of M x K by K x N.</summary>
    public Gemm(int m, int n, int k, View a, View b, View c)
    {
        M = m;
        N = n;
        K = k;
        A = a;
        B = b;
        C = c;
        Lda = k;
        Ldb = n;
        Ldc = n;
        Alpha = 1;
        Batch = 1;
    }

    public int M { get; set; }

    public int N { get; set; }

    public int K { get; set; }

    public View A { get; set; }

    public View B { get; set; }

    public View C { get; set; }

    /// <summary>Elements from row to row of A as stored (M x K, or K x M when transposed).</summary>
    public int Lda { get; set; }

    /// <summary>Elements from row to row of B as stored (K x N, or N x K when transposed).</summary>
    public int Ldb { get; set; }

    /// <summary>Elements from row to row of C, PreActivation, Residual and ActivationGradientOf.</summary>
    public int Ldc { get; set; }

    public bool TransposeA { get; set; }

    public bool TransposeB { get; set; }

    /// <summary>
    /// B may be a weight that the device keeps in panels, Ldb being the length of its rows (<see cref="Ldvc.Tensors.PanelLayout"/>): its block says
    /// whether it is when the product runs.
    /// </summary>
    public bool KeptPanels { get; set; }

    public float Alpha { get; set; }

    /// <summary>C += instead of C =.</summary>
    public bool Accumulate { get; set; }

    /// <summary>How many products; the strides say how far apart their matrices are (0 shares one).</summary>
    public int Batch { get; set; }

    public long StrideA { get; set; }

    public long StrideB { get; set; }

    public long StrideC { get; set; }

    /// <summary>[N], added to every row; may be absent.</summary>
    public View Bias { get; set; }

    public Activation Activation { get; set; }

    /// <summary>Where to keep the value before the activation, laid out as C; may be absent.</summary>
    public View PreActivation { get; set; }

    /// <summary>Laid out as C; may be absent, must not be C: partial sums are kept there.</summary>
    public View Residual { get; set; }

    /// <summary>Values before the activation of an earlier product, laid out as C; may be absent, and bf16 or fp16 on a GPU.</summary>
    public View ActivationGradientOf { get; set; }

    /// <summary>
    /// Windows are chosen by the result: rounding shows in it as another choice, not as a small error. In fp16 such a product multiplies in float32;
    /// it is about a hundredth of a step's multiplications.
    /// </summary>
    public bool DecidesRoutes { get; set; }

    /// <summary>
    /// Two floats, a scale and its inverse (<see cref="Reduction.IReductionKernels.GradientScale"/>), when A is a gradient and something is stored in
    /// fp16: A and C, where they are in fp16, are times the scale; where they are float32 they are not. Absent otherwise.
    /// </summary>
    public View GradientScale { get; set; }

    /// <summary>The same for some rows of the result: each product of a batch is cut alike.</summary>
    internal readonly Gemm Rows(int first, int count)
    {
        long shift = (long)first * Ldc;
        return this with
        {
            M = count,
            A = A.Shift(TransposeA ? first : (long)first * Lda),
            C = C.Shift(shift),
            PreActivation = PreActivation.IsNone ? default : PreActivation.Shift(shift),
            Residual = Residual.IsNone ? default : Residual.Shift(shift),
            ActivationGradientOf = ActivationGradientOf.IsNone ? default : ActivationGradientOf.Shift(shift),
        };
    }

    /// <summary>The same for some products of the batch, without an epilogue.</summary>
    internal readonly Gemm Products(int first, int count) => this with
    {
        Batch = count,
        A = A.Shift(first * StrideA),
        B = B.Shift(first * StrideB),
        C = C.Shift(first * StrideC),
    };

    /// <summary>What operands or results of 16 bits are stored as; null when there are none.</summary>
    internal readonly DType? HalfType =>
        A.IsHalf ? A.Type : B.IsHalf ? B.Type : C.IsHalf ? C.Type : PreActivation.IsHalf ? PreActivation.Type
            : ActivationGradientOf.IsHalf ? ActivationGradientOf.Type : null;
}

/// <summary>Dense matrix products.</summary>
internal interface IMatMulKernels
{
    /// <summary>Runs one (batched) product.</summary>
    void Run(in Gemm gemm);

    /// <summary>
    /// Runs a single product without an epilogue, C = A B in float32, and leaves adding up to whoever reads it: what is returned is C, or parts that
    /// lie elsewhere, C being left alone.
    /// </summary>
    GemmParts RunInParts(in Gemm gemm);
}
