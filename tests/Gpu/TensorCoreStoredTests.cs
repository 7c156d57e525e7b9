using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Tensors;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Tensors stored in bf16 or fp16 between kernels, in the simulator. What a kernel reads is what it would have rounded itself, so results are those
/// of float32 storage, to the bit; what it writes is the nearest such number to what it would have written.
/// </summary>
[Collection("simulator")]
public class TensorCoreStoredTests(SimulatorFixture fixture)
{
    [Theory]
    [InlineData(40, 24, 48, false, false)]
    [InlineData(24, 72, 32, false, true)]
    [InlineData(24, 40, 20, true, false)]
    [InlineData(72, 16, 24, true, true)]
    [InlineData(24, 16, 24, false, true, "Fp16")]
    public void ProductsReadAndWriteIt(int m, int n, int k, bool transposeA, bool transposeB, string precision = "Bf16")
    {
        var launcher = KernelSet.For(fixture.Twin.Device).Launcher!;
        CheckProduct(new TensorCoreMatMul(launcher, Enum.Parse<Precision>(precision)), Half(precision), m, n, k, transposeA, transposeB);
    }

    [Theory]
    [InlineData("Bf16")]
    [InlineData("Fp16")]
    public void PortableProductsTakeTheirPlace(string precision)
    {
        var launcher = KernelSet.For(fixture.Twin.Device).Launcher!;
        CheckProduct(new WidenedMatMul(launcher, new GpuMatMul(launcher)), Half(precision), 10, 24, 16, false, true);
    }

    [Theory]
    [InlineData(21, 2, 64, false)]
    [InlineData(40, 1, 64, true)]
    [InlineData(9, 2, 24, false)]
    [InlineData(17, 1, 64, false, "Fp16")]
    [InlineData(9, 1, 24, false, "Fp16")]
    public void AttentionReadsAndWritesIt(int tokens, int heads, int d, bool causal, string precision = "Bf16")
    {
        const int batch = 2;
        var half = Half(precision);
        var device = fixture.Twin.Device;
        var launcher = KernelSet.For(device).Launcher!;
        IAttentionKernels portable = new GpuAttention(launcher),
            kernels = d == 64 ? new TensorCoreAttention(launcher, half) : new WidenedAttention(launcher, portable);
        var sizes = new AttentionSizes(batch, heads, tokens, tokens, d, 0.125f, causal, 0, 0);
        int width = heads * d, rows = batch * tokens;
        float[] values = TensorCoreReference.Rounded(TensorCoreReference.Normal(rows * 3 * width, 1), half);
        using Tensor wide = device.FromHost(values, new Shape(batch, tokens, 3 * width)), stored = device.FromHostRounded(values, wide.Shape, half);
        using Tensor dOut = device.FromHost(TensorCoreReference.Normal(rows * width, 2), new Shape(batch, tokens, width));
        using Tensor o = device.Empty(dOut.Shape), storedO = device.Empty(dOut.Shape, half);
        using Tensor lse = device.Empty(new Shape(batch * heads * tokens)), storedLse = device.Empty(lse.Shape), scratch = device.Empty(lse.Shape);
        using Tensor gradient = device.Empty(wide.Shape), storedGradient = device.Empty(wide.Shape);
        TokenRows packed(Tensor tensor, int part) => new(tensor.View.Shift(part * width), (long)tokens * 3 * width, 3 * width);
        TokenRows plain(Tensor tensor) => new(tensor, (long)tokens * width, width);
        void run(IAttentionKernels with, Tensor qkv, Tensor output, Tensor statistics, Tensor result)
        {
            with.Forward(sizes, packed(qkv, 0), packed(qkv, 1), packed(qkv, 2), plain(output), statistics);
            with.Backward(
                sizes,
                packed(qkv, 0),
                packed(qkv, 1),
                packed(qkv, 2),
                plain(output),
                statistics,
                plain(dOut),
                packed(result, 0),
                packed(result, 1),
                packed(result, 2),
                scratch);
        }

        run(kernels is WidenedAttention ? portable : kernels, wide, o, lse, gradient);
        run(kernels, stored, storedO, storedLse, storedGradient);
        Assert.Equal(TensorCoreReference.Rounded(o.ToArray(), half), TensorCoreReference.Widened(storedO));
        Assert.Equal(lse.ToArray(), storedLse.ToArray());

        // The row sums of dOut * o see the rounded o.
        AttentionReference.Close([.. gradient.ToArray().Select(x => (double)x)], storedGradient.ToArray(), 1e-2, "gradients");
    }

    [Theory]
    [InlineData("Bf16")]
    [InlineData("Fp16")]
    public void LayerNormWritesIt(string precision)
    {
        var half = Half(precision);
        const int rows = 5, columns = 24;
        var device = fixture.Twin.Device;
        var kernels = KernelSet.For(device).Normalization;
        using Tensor x = device.FromHost(TensorCoreReference.Normal(rows * columns, 1), new Shape(rows, columns)), gamma = device.FromHost(
            TensorCoreReference.Normal(columns, 2), new Shape(columns));
        using Tensor y = device.Empty(x.Shape), stored = device.Empty(x.Shape, half), mean = device.Empty(new Shape(rows)),
            rstd = device.Empty(new Shape(rows));
        kernels.LayerNorm(x, gamma, gamma, y, mean, rstd, rows, columns, 1e-5f);
        kernels.LayerNorm(x, gamma, gamma, stored, mean, rstd, rows, columns, 1e-5f);
        Assert.Equal(TensorCoreReference.Rounded(y.ToArray(), half), TensorCoreReference.Widened(stored));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [InlineData(false, "Fp16")]
    public void ActivationBackwardReadsIt(bool accumulate, string precision = "Bf16")
    {
        const int count = 3 * 40;
        var half = Half(precision);
        var device = fixture.Twin.Device;
        var kernels = KernelSet.For(device).Elementwise;
        float[] values = TensorCoreReference.Rounded(TensorCoreReference.Normal(count, 1), half), before = TensorCoreReference.Normal(count, 3);
        using Tensor x = device.FromHost(values, new Shape(count)), stored = device.FromHostRounded(values, x.Shape, half), dy = device.FromHost(
            TensorCoreReference.Normal(count, 2), x.Shape);
        using Tensor expected = device.FromHost(before, x.Shape), actual = device.FromHost(before, x.Shape);
        kernels.ActivateBackward(x, dy, expected, Activation.QuickGelu, accumulate, count);
        kernels.ActivateBackward(stored, dy, actual, Activation.QuickGelu, accumulate, count);
        Assert.Equal(expected.ToArray(), actual.ToArray());
    }

    [Fact]
    public void OtherKernelsRefuseIt()
    {
        var device = fixture.Twin.Device;
        using Tensor stored = device.FromHostRounded(new float[16], new Shape(16)), plain = device.Zeros(stored.Shape);
        using var cpu = new CpuDevice(1);
        using Tensor host = cpu.FromHostRounded(new float[16], new Shape(16));
        Assert.Throws<InvalidOperationException>(() => KernelSet.For(device).Elementwise.Add(stored, plain, plain, 16));
        Assert.Throws<InvalidOperationException>(() => KernelSet.For(cpu).Elementwise.Scale(host, 1, host, false, 16));
    }

    [Theory]
    [InlineData("Bf16", 5e-3, 1e-2)]
    [InlineData("Fp16", 6e-4, 1.5e-3)]
    public void ABlockStoresItBetweenItsProducts(string precision, double outputBound, double gradientBound)
    {
        var device = fixture.Twin.Device;
        using var cpu = new CpuDevice(1);
        (float[] Output, float[] Gradient, long Kept) expected = Run(cpu), actual;
        long plain;
        (_, _, plain) = Run(device, backward: false);
        try
        {
            device.Precision = Enum.Parse<Precision>(precision);
            actual = Run(device);
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }

        AttentionReference.Close([.. expected.Output.Select(x => (double)x)], actual.Output, outputBound, "output");
        AttentionReference.Close([.. expected.Gradient.Select(x => (double)x)], actual.Gradient, gradientBound, "gradient");

        // q, k, v, o and the four times as many numbers before the activation.
        Assert.Equal(32 * 128 * (3 + 1 + 4) * 2, plain - actual.Kept);
    }

    // One block of width 128 on 32 tokens: its output, the gradient of its input, and the bytes it keeps for the backward.
    private static (float[] Output, float[] Gradient, long Kept) Run(Device device, bool backward = true)
    {
        using var block = new ResidualBlock(new FrozenWeights(device), "", new TowerConfig(128, 1, 2, 512), causal: false);
        block.SetTrainable(false);
        using var tape = new Tape(device, recording: true);
        var x = tape.Input(device.FromHost(TensorCoreReference.Normal(32 * 128, 1), new Shape(2, 16, 128)));
        long before = Live(device);
        var y = block.Forward(tape, x);
        long kept = Live(device) - before;
        if (!backward)
        {
            return ([], [], kept);
        }

        using var gradient = device.FromHost(TensorCoreReference.Normal(32 * 128, 2), x.Shape);
        tape.Backward(y, gradient);
        return (y.Value.ToArray(), x.Gradient!.ToArray(), kept);
    }

    /// <summary>Random weights as a checkpoint's: frozen, matrices in 16 bits where the device multiplies so.</summary>
    private sealed class FrozenWeights(Device device) : IWeightSource
    {
        private readonly RandomWeights _random = new(new Initializer(device, 3));

        public Parameter Get(string name, Shape shape, double std, float constant = 0) => _random.Get(name, shape, std, constant);

        public Parameter GetProjection(string name, int outputs, int inputs, double std) => _random.GetProjection(name, outputs, inputs, std);

        public Parameter GetMatrix(string name, Shape shape, double std)
        {
            using var plain = _random.Get(name, shape, std);
            return new Parameter(
                device.Precision.HalfType() is { } half ? device.FromHostRounded(plain.Value.ToArray(), shape, half) : plain.Value.Clone(),
                trainable: false);
        }
    }

    // Without the kernels' own workspaces, which grow with the first calls: here they are made as large as they will be.
    private static long Live(Device device)
    {
        long held = KernelSet.For(device).Launcher is { } launcher
            ? launcher.Workspace.Bytes(4 << 20).Storage.Bytes + launcher.PartialSums.Bytes(4 << 20).Storage.Bytes
                + launcher.Half.Overflow.Storage.Bytes + launcher.State.View.Storage.Bytes
            : 0;
        return device.Pool.LiveBytes - held;
    }

    private void CheckProduct(IMatMulKernels kernels, DType half, int m, int n, int k, bool transposeA, bool transposeB)
    {
        var device = fixture.Twin.Device;
        var exact = kernels is WidenedMatMul ? new GpuMatMul(KernelSet.For(device).Launcher!) : kernels;
        float[] valuesA = TensorCoreReference.Rounded(TensorCoreReference.Normal(m * k, 1), half), valuesB = TensorCoreReference.Rounded(
            TensorCoreReference.Normal(k * n, 2), half);
        using Tensor a = device.FromHost(valuesA, new Shape(m * k)), b = device.FromHost(valuesB, new Shape(k * n)), bias = device.FromHost(
            TensorCoreReference.Normal(n, 3), new Shape(n));
        using Tensor storedA = device.FromHostRounded(valuesA, a.Shape, half), storedB = device.FromHostRounded(valuesB, b.Shape, half);
        using Tensor c = device.Empty(new Shape(m * n)), before = device.Empty(c.Shape), storedC = device.Empty(c.Shape, half),
            storedBefore = device.Empty(c.Shape, half);
        var gemm = new Gemm(m, n, k, a, b, c)
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Lda = transposeA ? m : k,
            Ldb = transposeB ? k : n,
            Bias = bias,
            Activation = Activation.QuickGelu,
            PreActivation = before,
        };
        exact.Run(gemm);
        float[] wanted = TensorCoreReference.Rounded(c.ToArray(), half), wantedBefore = TensorCoreReference.Rounded(before.ToArray(), half);
        kernels.Run(gemm with { A = storedA, C = storedC, PreActivation = storedBefore });
        Assert.Equal(wanted, TensorCoreReference.Widened(storedC));
        kernels.Run(gemm with { B = storedB, C = storedC, PreActivation = storedBefore });
        Assert.Equal(wanted, TensorCoreReference.Widened(storedC));
        Assert.Equal(wantedBefore, TensorCoreReference.Widened(storedBefore));
    }

    private static DType Half(string precision) => Enum.Parse<Precision>(precision).HalfType()!.Value;
}
