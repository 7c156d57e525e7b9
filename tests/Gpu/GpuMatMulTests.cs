using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClMatMulTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 7, 3)]
    [InlineData(64, 64, 16)]
    [InlineData(65, 66, 17)]
    [InlineData(200, 132, 40)]
    [InlineData(197, 768, 96)]
    [InlineData(384, 260, 768)]
    public void Transposes(int m, int n, int k) => MatMulCases.Transposes(fixture.Twin, m, n, k, 1);

    [Theory]
    [InlineData(20, 12, 8, 3)]
    [InlineData(130, 129, 64, 2)]
    public void Batches(int m, int n, int k, int batch) => MatMulCases.Transposes(fixture.Twin, m, n, k, batch);

    [Theory]
    [InlineData(15, 64, 512, 4)]
    [InlineData(33, 50, 1001, 7)]
    [InlineData(70, 130, 300, 2)]
    public void Splits(int m, int n, int k, int parts) => MatMulCases.Splits(fixture.Twin.Device, m, n, k, parts);

    [Theory]
    [InlineData(9, 10, 4)]
    [InlineData(150, 132, 20)]
    public void Epilogues(int m, int n, int k) => MatMulCases.Epilogues(fixture.Twin, m, n, k);
}

[Collection("simulator")]
public class SimulatorMatMulTests(SimulatorFixture fixture)
{
    [Fact]
    public void Transposes() => MatMulCases.Transposes(fixture.Twin, 9, 12, 20, 1);

    [Fact]
    public void LargeTile() => MatMulCases.Transposes(fixture.Twin, 65, 68, 4, 1);

    [Fact]
    public void Epilogues() => MatMulCases.Epilogues(fixture.Twin, 5, 6, 4);

    [Theory]
    [InlineData(5, 8, 72, 2)]
    [InlineData(4, 7, 70, 3)]
    public void Splits(int m, int n, int k, int parts) => MatMulCases.Splits(fixture.Twin.Device, m, n, k, parts);
}

internal static class MatMulCases
{
    internal static void Transposes(Twin twin, int m, int n, int k, int batch) => twin.Check(3e-6, bench =>
    {
        var outputs = new List<Tensor>();
        foreach (bool transposeA in new[] { false, true })
        {
            foreach (bool transposeB in new[] { false, true })
            {
                var c = bench.Normal(new Shape(batch, m, n));
                bench.Kernels.MatMul.Run(new Gemm(m, n, k, bench.Normal(new Shape(batch, m, k)), bench.Normal(new Shape(batch, k, n)), c)
                {
                    TransposeA = transposeA,
                    TransposeB = transposeB,
                    Lda = transposeA ? m : k,
                    Ldb = transposeB ? k : n,
                    Batch = batch,
                    StrideA = (long)m * k,
                    StrideB = transposeB ? 0 : (long)k * n,
                    StrideC = (long)m * n,
                    Alpha = 0.5f,
                    Accumulate = transposeA != transposeB,
                });
                outputs.Add(c);
            }
        }

        return [.. outputs];
    });

    /// <summary>Products cut into parts against whole ones on the same device, with the whole epilogue; cut twice, they give the same bits.</summary>
    internal static void Splits(GpuDevice device, int m, int n, int k, int parts)
    {
        var product = new GpuMatMul(KernelSet.For(device).Launcher!);
        Tensor Normal(int count, ulong seed) => device.FromHost(TensorCoreReference.Normal(count, seed), new Shape(count));
        using Tensor a = Normal(m * k, 1), b = Normal(k * n, 2), bias = Normal(n, 3), residual = Normal(m * n, 4);
        for (int form = 0; form < 4; form++)
        {
            var (transposeA, transposeB) = ((form & 1) != 0, (form & 2) != 0);
            (float[] Values, float[] Before) Run(int part)
            {
                using Tensor c = Normal(m * n, 5), before = device.Zeros(new Shape(m * n));
                product.Run(
                    new Gemm(m, n, k, a, b, c)
                    {
                        TransposeA = transposeA,
                        TransposeB = transposeB,
                        Lda = transposeA ? m : k,
                        Ldb = transposeB ? k : n,
                        Alpha = 0.5f,
                        Accumulate = transposeA,
                        Bias = bias,
                        Activation = Activation.QuickGelu,
                        PreActivation = before,
                        Residual = residual,
                    },
                    large: false,
                    part);
                return (c.ToArray(), before.ToArray());
            }

            int part = MatMulPlan.Steps(k, parts);
            Assert.True(part < k);
            var (whole, cut) = (Run(0), Run(part));
            Assert.True(
                CaseDifference.Of("c", Array.ConvertAll(whole.Values, v => (double)v), cut.Values, 3e-6) is { Passed: true },
                $"{m} x {n} x {k}, form {form}: c");
            Assert.True(
                CaseDifference.Of("before", Array.ConvertAll(whole.Before, v => (double)v), cut.Before, 3e-6) is { Passed: true },
                $"{m} x {n} x {k}, form {form}: before the activation");
            Assert.Equal(cut.Values, Run(part).Values);
        }
    }

    /// <summary>All parts of the epilogue, with rows of C wider than the product.</summary>
    internal static void Epilogues(Twin twin, int m, int n, int k) => twin.Check(3e-6, bench =>
    {
        int ld = n + 4;
        var outputs = new List<Tensor>();
        Gemm Product(out Tensor c)
        {
            outputs.Add(c = bench.Normal(new Shape(m, ld)));
            return new Gemm(m, n, k, bench.Normal(new Shape(m, k)), bench.Normal(new Shape(k, n)), c) { Ldc = ld };
        }

        foreach (var activation in new[] { Activation.None, Activation.QuickGelu, Activation.Relu })
        {
            var before = bench.Normal(new Shape(m, ld));
            var first = Product(out _);
            bench.Kernels.MatMul.Run(first with
            {
                Bias = bench.Normal(new Shape(n)),
                Activation = activation,
                PreActivation = before,
                Residual = bench.Normal(new Shape(m, ld)),
            });
            var second = Product(out _);
            bench.Kernels.MatMul.Run(second with
            {
                Activation = activation,
                ActivationGradientOf = bench.Normal(new Shape(m, ld)),
                Residual = bench.Normal(new Shape(m, ld)),
                Alpha = 2
            });
            outputs.Add(before);
        }

        return [.. outputs];
    });
}
