using Ldvc.Cases.Ops;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Matrix products with what operations do not use: all transposes, padded rows, shared operands, every part of the epilogue.</summary>
internal static class GemmCases
{
    internal static IEnumerable<KernelCase> All =>
    [
        Case(new Options(1, 1, 1)),
        Case(new Options(7, 9, 5) { TransposeA = true }),
        Case(new Options(5, 33, 17) { TransposeB = true, Padding = 3 }),
        Case(new Options(13, 21, 11) { TransposeA = true, TransposeB = true, Alpha = -0.5f }),
        Case(new Options(8, 16, 12) { Accumulate = true, Padding = 5 }),
        Case(new Options(6, 11, 9) { Batch = 3, ShareB = true, Bias = true }),
        Case(new Options(6, 11, 9) { Batch = 3, ShareA = true, TransposeB = true, Alpha = 2f }),
        Case(new Options(9, 13, 8) { Bias = true, Activation = Activation.QuickGelu, KeepBefore = true, Residual = true, Padding = 1 }),
        Case(new Options(9, 35, 8) { Activation = Activation.Relu, KeepBefore = true, Batch = 2 }),
        Case(new Options(10, 19, 7) { Activation = Activation.QuickGelu, GradientOf = true }),
        Case(new Options(4, 35, 7) { Activation = Activation.Relu, GradientOf = true, Residual = true }),
        Case(new Options(25, 70, 720) { TransposeA = true, Bias = true, Activation = Activation.Relu }),
        Case(new Options(130, 50, 350) { Accumulate = true, TransposeB = true }),
        Case(new Options(97, 200, 3) { Residual = true, Padding = 2, Batch = 2 }),
        Case(new Options(1, 32, 1) { TransposeB = true, Kept = true }),
        Case(new Options(17, 96, 37) { TransposeB = true, Kept = true, Bias = true, Residual = true }),
        Case(new Options(31, 64, 1312) { TransposeB = true, Kept = true, Bias = true, Activation = Activation.QuickGelu, KeepBefore = true }),
        Case(new Options(5, 19, 32) { Kept = true }),
        Case(new Options(23, 70, 1312) { Kept = true, Accumulate = true, Batch = 2, ShareB = true }),
        Case(new Options(15, 70, 1000) { TransposeB = true, Bias = true, Activation = Activation.QuickGelu, KeepBefore = true, Residual = true,
            Padding = 1 }),
        Case(new Options(40, 48, 520) { TransposeA = true, Accumulate = true, Alpha = 0.5f }),
        InParts(3, 5, 7), InParts(5, 33, 700), InParts(9, 64, 1312), InParts(1035, 768, 3072, real: true),
        Case(new Options(15, 512, 1024) { TransposeB = true, Bias = true, Real = true }),
        Case(new Options(135, 512, 2048) { TransposeB = true, Real = true }),
        Case(new Options(512, 512, 1024) { TransposeA = true, Accumulate = true, Real = true }),
        Case(new Options(1025, 768, 768) { TransposeB = true, Real = true }),
        Case(new Options(1025, 768, 768) { TransposeB = true, Kept = true, Real = true }),
        Case(new Options(197, 768, 768) { TransposeB = true, Kept = true, Real = true }),
        Case(new Options(1025, 3072, 768) { TransposeB = true, Bias = true, Activation = Activation.QuickGelu, Real = true }),
        Case(new Options(1025, 768, 3072) { TransposeB = true, Bias = true, Residual = true, Real = true }),
        Case(new Options(1025, 768, 3072) { Real = true }),
        Case(new Options(1025, 768, 3072) { Kept = true, Real = true }),
        Case(new Options(768, 768, 1025) { TransposeA = true, Accumulate = true, Real = true }),
    ];

    // What the reader of a product that may have been cut sees: the sum of the parts.
    private static KernelCase InParts(int m, int n, int k, bool real = false)
    {
        string variant = $"{m} x {k} x {n}";
        return new KernelCase(typeof(IMatMulKernels), nameof(IMatMulKernels.RunInParts), variant, device =>
        {
            var run = new KernelRun(device);
            float[] a = CaseRandom.Normal($"a {variant}", m * k), b = CaseRandom.Normal($"b {variant}", k * n, 0, 1 / Math.Sqrt(k));
            Tensor x = run.Floats(a), w = run.Floats(b), c = run.Empty(m * n), sum = run.Empty(m * n);
            run.Launch = () =>
            {
                var parts = run.Kernels.MatMul.RunInParts(new Gemm(m, n, k, x, w, c));
                run.Kernels.Elementwise.Scale(parts.Values, 1, sum, false, m * n);
                for (int i = 1; i < parts.Count; i++)
                {
                    run.Kernels.Elementwise.Add(sum, parts.Values.Shift(i * parts.Stride), sum, m * n);
                }
            };
            run.Compare = real ? null : () => [CaseDifference.Of(
                "c",
                [.. Enumerable.Range(0, m * n).Select(i => Enumerable.Range(0, k).Sum(j => (double)a[(i / n * k) + j] * b[(j * n) + (i % n)]))],
                sum.ToArray(),
                2e-6)];
            return run;
        })
        {
            Work = new CaseWork(2.0 * m * n * k, ((double)m * k) + ((double)n * k) + ((double)m * n)),
            Real = real,
        };
    }

    private static KernelCase Case(Options o)
    {
        double product = 2.0 * o.Batch * o.M * o.N * o.K;
        double moved = ((o.ShareA ? 1.0 : o.Batch) * o.M * o.K) + ((o.ShareB ? 1.0 : o.Batch) * o.N * o.K)
            + (o.Outputs * (double)o.Batch * o.M * o.N);
        return new KernelCase(typeof(IMatMulKernels), nameof(IMatMulKernels.Run), o.ToString(), device => Prepare(o, device))
        {
            Work = new CaseWork(product, moved),
            Real = o.Real,
        };
    }

    private static KernelRun Prepare(Options o, Device device)
    {
        var run = new KernelRun(device);
        float[] a = Draw(o, "a", o.ShareA ? 1 : o.Batch, o.ARows, o.Lda), b = Draw(o, "b", o.ShareB ? 1 : o.Batch, o.BRows, o.Ldb);
        float[] c = Draw(o, "c", o.Batch, o.M, o.Ldc), residual = Draw(o, "residual", o.Batch, o.M, o.Ldc), inner = Draw(
            o, "inner", o.Batch, o.M, o.Ldc);
        float[] bias = CaseRandom.Normal($"gemm bias {o}", o.N);
        Tensor cs = run.Floats(c), before = run.Floats(c), bs = run.Floats(b, o.ShareB ? o.BRows : o.Batch * o.BRows, o.Ldb);
        bool kept = o.Kept && bs.KeepInPanels();
        var gemm = new Gemm(o.M, o.N, o.K, run.Floats(a), bs.Raw, cs)
        {
            KeptPanels = kept,
            TransposeA = o.TransposeA,
            TransposeB = o.TransposeB,
            Lda = o.Lda,
            Ldb = o.Ldb,
            Ldc = o.Ldc,
            Alpha = o.Alpha,
            Accumulate = o.Accumulate,
            Batch = o.Batch,
            StrideA = o.ShareA ? 0 : (long)o.ARows * o.Lda,
            StrideB = o.ShareB ? 0 : (long)o.BRows * o.Ldb,
            StrideC = (long)o.M * o.Ldc,
            Activation = o.Activation,
            Bias = o.Bias ? run.Floats(bias) : default(View),
            PreActivation = o.KeepBefore ? before : default(View),
            Residual = o.Residual ? run.Floats(residual) : default(View),
            ActivationGradientOf = o.GradientOf ? run.Floats(inner) : default(View),
        };
        run.Launch = () => run.Kernels.MatMul.Run(gemm);
        run.Compare = o.Real ? null : () =>
        {
            // Between the rows of a padded C nothing may be written.
            double[] expected = Array.ConvertAll(c, v => (double)v), kept = [.. expected];
            for (int i = 0; i < o.Batch * o.M * o.N; i++)
            {
                int image = i / (o.M * o.N), row = i / o.N % o.M, column = i % o.N, at = (((image * o.M) + row) * o.Ldc) + column;
                double sum = 0;
                for (int k = 0; k < o.K; k++)
                {
                    sum += (double)a[o.AtA(image, row, k)] * b[o.AtB(image, k, column)];
                }

                double value = (o.Alpha * sum) + (o.Bias ? bias[column] : 0);
                kept[at] = value;
                value = o.GradientOf ? value * Formulas.Derivative(inner[at], o.Activation) : Formulas.Activate(value, o.Activation);
                expected[at] = value + (o.Residual ? residual[at] : 0) + (o.Accumulate ? c[at] : 0);
            }

            List<CaseDifference> differences = [CaseDifference.Of("c", expected, cs.ToArray(), 5e-6)];
            if (o.KeepBefore)
            {
                differences.Add(CaseDifference.Of("before the activation", kept, before.ToArray(), 5e-6));
            }

            return differences;
        };
        return run;
    }

    private static float[] Draw(Options o, string name, int batch, int rows, int columns) =>
        CaseRandom.Normal($"gemm {name} {o}", batch * rows * columns);

    private sealed record Options(int M, int N, int K)
    {
        public bool TransposeA { get; init; }

        public bool TransposeB { get; init; }

        public float Alpha { get; init; } = 1;

        public bool Accumulate { get; init; }

        public int Batch { get; init; } = 1;

        public bool ShareA { get; init; }

        public bool ShareB { get; init; }

        public int Padding { get; init; }

        public bool Bias { get; init; }

        public Activation Activation { get; init; }

        public bool KeepBefore { get; init; }

        public bool Residual { get; init; }

        public bool GradientOf { get; init; }

        /// <summary>B is a frozen weight in panels, on devices that have them.</summary>
        public bool Kept { get; init; }

        public bool Real { get; init; }

        internal int ARows => TransposeA ? K : M;

        internal int Lda => (TransposeA ? M : K) + Padding;

        internal int BRows => TransposeB ? N : K;

        internal int Ldb => (TransposeB ? K : N) + Padding;

        internal int Ldc => N + Padding;

        internal int Outputs => 1 + (Accumulate ? 1 : 0) + (KeepBefore ? 1 : 0) + (Residual ? 1 : 0) + (GradientOf ? 1 : 0);

        internal int AtA(int image, int row, int k) => ((ShareA ? 0 : image) * ARows * Lda) + (TransposeA ? (k * Lda) + row : (row * Lda) + k);

        internal int AtB(int image, int k, int column) =>
            ((ShareB ? 0 : image) * BRows * Ldb) + (TransposeB ? (column * Ldb) + k : (k * Ldb) + column);

        public override string ToString() => string.Join(
            ' ',
            new[]
            {
                $"{M} x {N} x {K} {(TransposeA ? 'T' : 'N')}{(TransposeB ? 'T' : 'N')}", Batch > 1 ? $"batch {Batch}" : "", ShareA ? "shared a" : "",
                    ShareB ? "shared b" : "", Kept ? "in panels" : "",
                Alpha != 1 ? $"alpha {Alpha}" : "", Padding > 0 ? $"padding {Padding}" : "", Accumulate ? "accumulate" : "", Bias ? "bias" : "",
                Activation != Activation.None ? $"{Activation}" : "",
                KeepBefore ? "kept" : "",
                GradientOf ? "gradient" : "",
                Residual ? "residual" : "",
            }.Where(s => s.Length > 0));
    }
}
