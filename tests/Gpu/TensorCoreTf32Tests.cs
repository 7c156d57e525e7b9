using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// tf32 products in the simulator against float64 on the rounded inputs: only the order of a float32 sum is left to differ. Rows are longer than the
/// matrices and end in NaN, so that what is read beyond them shows.
/// </summary>
[Collection("simulator")]
public class TensorCoreTf32Tests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(64, 64, 16, false, true)]
    [InlineData(37, 50, 39, false, true)]
    [InlineData(50, 37, 23, false, false)]
    [InlineData(19, 41, 50, true, false)]
    [InlineData(33, 66, 9, true, true)]
    [InlineData(65, 3, 1, false, false)]
    public void SmallTileMatchesFloat64(int m, int n, int k, bool transposeA, bool transposeB) =>
        Check(m, n, k, transposeA, transposeB, large: false);

    [Theory]
    [InlineData(130, 30, 24, false, true)]
    [InlineData(100, 128, 24, true, false)]
    public void LargeTileMatchesFloat64(int m, int n, int k, bool transposeA, bool transposeB) => Check(m, n, k, transposeA, transposeB, large: true);

    [Theory]
    [InlineData(20, 18, 70, false, true)]
    [InlineData(17, 24, 70, true, false)]
    public void PartsOfTheSumAreAdded(int m, int n, int k, bool transposeA, bool transposeB) =>
        Check(m, n, k, transposeA, transposeB, large: false, part: 32);

    [Fact]
    public void BatchSharesOneOperand() => Check(20, 18, 24, false, true, large: false, batch: 3);

    [Fact]
    public void RoundingGoesToTheNearest()
    {
        Assert.Equal(1f + MathF.ScaleB(1, -10), Round(1f + MathF.ScaleB(1.5f, -11)));
        Assert.Equal(1f + MathF.ScaleB(1, -10), Round(1f + MathF.ScaleB(1, -11)));
        Assert.Equal(1f, Round(1f + MathF.ScaleB(0.9f, -11)));
        Assert.Equal(-3.5f, Round(-3.5f));
    }

    [Fact]
    public void TheDeviceTakesThemAfterACheck()
    {
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        var warnings = new List<string>();
        var kernels = new CheckedMatMul(launcher, new TensorCoreGate(device, warnings.Add, always: true), new GpuMatMul(launcher));
        const int edge = 32;
        float[] a = TensorCoreReference.Normal(edge * edge, 1), b = TensorCoreReference.Normal(edge * edge, 2);
        using Tensor ta = device.FromHost(a, new Shape(edge * edge)), tb = device.FromHost(b, ta.Shape), expected = device.Empty(ta.Shape),
            actual = device.Empty(ta.Shape), odd = device.Empty(ta.Shape);
        var gemm = new Gemm(edge, edge, edge, ta, tb, actual) { TransposeB = true };
        try
        {
            device.Precision = Precision.Tf32;
            kernels.Run(gemm);

            // Rows that start at no multiple of 16 bytes go to the portable kernel.
            kernels.Run(gemm with { A = ta.View.Shift(1), M = edge - 1, C = odd });
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        new TensorCoreMatMul(launcher, Precision.Tf32).Run(gemm with { C = expected });
        Assert.Equal(expected.ToArray(), actual.ToArray());
        new GpuMatMul(launcher).Run(gemm with { A = ta.View.Shift(1), M = edge - 1, C = expected });
        Assert.Equal(expected.ToArray()[..(edge * (edge - 1))], odd.ToArray()[..(edge * (edge - 1))]);
        Assert.Empty(warnings);
    }

    private void Check(int m, int n, int k, bool transposeA, bool transposeB, bool large, int batch = 1, int part = 0)
    {
        var device = fixture.Twin.Device;
        int columnsA = transposeA ? m : k, columnsB = transposeB ? k : n, rowsA = transposeA ? k : m, rowsB = transposeB ? n : k;
        int lda = (columnsA + 7) / 4 * 4, ldb = (columnsB + 7) / 4 * 4;
        float[] a = Padded(TensorCoreReference.Normal(batch * rowsA * lda, 1), lda, columnsA), b = Padded(
            TensorCoreReference.Normal(rowsB * ldb, 2), ldb, columnsB);
        float[] bias = TensorCoreReference.Normal(n, 3);
        using Tensor ta = device.FromHost(a, new Shape(a.Length)), tb = device.FromHost(b, new Shape(b.Length)),
            tBias = device.FromHost(bias, new Shape(n));
        using Tensor c = device.Zeros(new Shape(batch * m * n));
        new TensorCoreMatMul(KernelSet.For(device).Launcher!, Precision.Tf32).Run(
            new Gemm(m, n, k, ta, tb, c)
            {
                TransposeA = transposeA,
                TransposeB = transposeB,
                Lda = lda,
                Ldb = ldb,
                Batch = batch,
                StrideA = batch > 1 ? rowsA * lda : 0,
                StrideC = m * n,
                Alpha = 0.5f,
                Bias = tBias,
            },
            large,
            part);
        var expected = new double[batch * m * n];
        for (int i = 0; i < expected.Length; i++)
        {
            int picture = i / (m * n), row = i / n % m, column = i % n;
            double sum = 0;
            for (int j = 0; j < k; j++)
            {
                int at = (picture * rowsA * lda) + (transposeA ? (j * lda) + row : (row * lda) + j);
                sum += (double)Round(a[at]) * Round(b[transposeB ? (column * ldb) + j : (j * ldb) + column]);
            }

            expected[i] = (0.5 * sum) + bias[column];
        }

        AttentionReference.Close(expected, c.ToArray(), 2e-6, "c");
    }

    private static float[] Padded(float[] values, int row, int columns) => [.. values.Select((x, i) => i % row < columns ? x : float.NaN)];

    private static float Round(float x) => BitConverter.UInt32BitsToSingle(Mma.ToTf32(x));
}
