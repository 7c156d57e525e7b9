using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// bf16 and fp16 products in the simulator against float64 on the rounded inputs: only the order of a float32 sum is left to differ.
/// </summary>
[Collection("simulator")]
public class TensorCoreGemmTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(64, 64, 32, false, true)]
    [InlineData(37, 50, 70, false, true)]
    [InlineData(50, 37, 23, false, false)]
    [InlineData(19, 41, 100, true, false)]
    [InlineData(33, 66, 9, true, true)]
    [InlineData(65, 3, 1, false, false)]
    public void SmallTileMatchesFloat64(int m, int n, int k, bool transposeA, bool transposeB) =>
        Check(new Case(m, n, k) { TransposeA = transposeA, TransposeB = transposeB });

    [Theory]
    [InlineData(130, 30, 40, false, true)]
    [InlineData(100, 128, 48, true, false)]
    public void LargeTileMatchesFloat64(int m, int n, int k, bool transposeA, bool transposeB) =>
        Check(new Case(m, n, k) { TransposeA = transposeA, TransposeB = transposeB, Large = true });

    [Theory]
    [InlineData("QuickGelu", 36)]
    [InlineData("Relu", 33)]
    public void ForwardEpilogue(string activation, int n) =>
        Check(new Case(20, n, 40)
        {
            TransposeB = true,
            Activation = Enum.Parse<Activation>(activation),
            Bias = true,
            PreActivation = true,
            Residual = true,
            Alpha = 0.5f
        });

    [Theory]
    [InlineData("QuickGelu", 36)]
    [InlineData("Relu", 33)]
    public void GradientEpilogue(string activation, int n) =>
        Check(new Case(20, n, 40) { Activation = Enum.Parse<Activation>(activation), Gradient = true });

    [Fact]
    public void AddsToWhatIsThere() => Check(new Case(20, 34, 40) { TransposeA = true, Accumulate = true });

    [Theory]
    [InlineData(20, 36, 72, false, true)]
    [InlineData(17, 33, 100, true, false)]
    [InlineData(24, 16, 77, false, false)]
    [InlineData(16, 24, 64, true, true)]
    public void PartsAddUp(int m, int n, int k, bool transposeA, bool transposeB) => Check(new Case(m, n, k)
    {
        TransposeA = transposeA,
        TransposeB = transposeB,
        Part = 32,
        Bias = true,
        Activation = Activation.QuickGelu,
        PreActivation = true,
        Residual = true,
        Accumulate = transposeA,
        Stored = k % 8 == 0 && n % 8 == 0,
    });

    [Fact]
    public void BatchSharesOneOperand() => Check(new Case(20, 18, 24) { TransposeB = true, Batch = 3 });

    [Theory]
    [InlineData(20, 36, 40, false, true)]
    [InlineData(19, 41, 20, true, false)]
    public void Fp16MatchesFloat64(int m, int n, int k, bool transposeA, bool transposeB) => CheckFp16(m, n, k, transposeA, transposeB, large: false);

    private protected void CheckFp16(int m, int n, int k, bool transposeA, bool transposeB, bool large) => Check(new Case(m, n, k)
    {
        TransposeA = transposeA,
        TransposeB = transposeB,
        Large = large,
        Half = DType.Float16,
        Stored = n % 8 == 0 && k % 8 == 0,
        Bias = true,
        Activation = Activation.QuickGelu,
        PreActivation = true,
    });

    private void Check(Case test)
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        int countC = test.M * test.N * test.Batch;
        float[] a = TensorCoreReference.Normal(test.M * test.K * test.Batch, 1), b = TensorCoreReference.Normal(test.K * test.N, 2);
        float[] c = TensorCoreReference.Normal(countC, 3), bias = TensorCoreReference.Normal(test.N, 4);
        float[] residual = TensorCoreReference.Normal(countC, 5), before = TensorCoreReference.Normal(countC, 6);
        using Tensor ta = device.FromHost(a, new Shape(a.Length)), tb = test.Stored ? device.FromHostRounded(
            b, new Shape(b.Length), test.Half) : device.FromHost(b, new Shape(b.Length)), tc = device.FromHost(c, new Shape(countC));
        using Tensor tBias = device.FromHost(bias, new Shape(test.N)), tResidual = device.FromHost(residual, new Shape(countC));
        using Tensor tBefore = device.FromHost(before, new Shape(countC)), tPre = device.Zeros(new Shape(countC));
        new TensorCoreMatMul(launcher, test.Half == DType.Float16 ? Precision.Fp16 : Precision.Bf16).Run(
            new Gemm(test.M, test.N, test.K, ta, tb, tc)
            {
                TransposeA = test.TransposeA,
                TransposeB = test.TransposeB,
                Lda = test.TransposeA ? test.M : test.K,
                Ldb = test.TransposeB ? test.K : test.N,
                Alpha = test.Alpha,
                Accumulate = test.Accumulate,
                Batch = test.Batch,
                StrideA = test.Batch > 1 ? test.M * test.K : 0,
                StrideC = test.M * test.N,
                Activation = test.Activation,
                Bias = test.Bias ? tBias : default(View),
                PreActivation = test.PreActivation ? tPre : default(View),
                Residual = test.Residual ? tResidual : default(View),
                ActivationGradientOf = test.Gradient ? tBefore : default(View),
            },
            test.Large,
            test.Part);
        var expected = new double[countC];
        var expectedPre = new double[countC];
        float[] ra = TensorCoreReference.Rounded(a, test.Half), rb = TensorCoreReference.Rounded(b, test.Half);
        for (int i = 0; i < countC; i++)
        {
            int batch = i / (test.M * test.N), row = i / test.N % test.M, column = i % test.N;
            double x = 0;
            for (int k = 0; k < test.K; k++)
            {
                int at = (batch * test.M * test.K) + (test.TransposeA ? (k * test.M) + row : (row * test.K) + k);
                x += (double)ra[at] * rb[test.TransposeB ? (column * test.K) + k : (k * test.N) + column];
            }

            x = (test.Alpha * x) + (test.Accumulate ? c[i] : 0) + (test.Bias ? bias[column] : 0);
            expectedPre[i] = test.PreActivation ? x : 0;
            x = test.Gradient ? x * Derivative(before[i], test.Activation) : Activate(x, test.Activation);
            expected[i] = x + (test.Residual ? residual[i] : 0);
        }

        AttentionReference.Close(expected, tc.ToArray(), 2e-6, "c");
        AttentionReference.Close(expectedPre, tPre.ToArray(), 2e-6, "pre-activation", 1e-20);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Activate(double x, Activation activation) => activation switch
    {
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Relu => Math.Max(x, 0),
        _ => x,
    };

    private static double Derivative(double x, Activation activation) => activation switch
    {
        Activation.QuickGelu => Sigmoid(1.702 * x) * (1 + (1.702 * x * (1 - Sigmoid(1.702 * x)))),
        Activation.Relu => x > 0 ? 1 : 0,
        _ => 1,
    };

    private sealed record Case(int M, int N, int K)
    {
        internal bool TransposeA { get; init; }

        internal bool TransposeB { get; init; }

        internal bool Large { get; init; }

        internal int Part { get; init; }

        /// <summary>What is multiplied.</summary>
        internal DType Half { get; init; } = DType.BFloat16;

        /// <summary>B is stored so.</summary>
        internal bool Stored { get; init; }

        internal float Alpha { get; init; } = 1;

        internal bool Accumulate { get; init; }

        internal int Batch { get; init; } = 1;

        internal Activation Activation { get; init; }

        internal bool Bias { get; init; }

        internal bool PreActivation { get; init; }

        internal bool Residual { get; init; }

        internal bool Gradient { get; init; }
    }
}
