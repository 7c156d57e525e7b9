using ILGPU;
using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Ldvc.Tests.Autograd;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Nothing at all, and more than a grid has room for: what the CPU takes, a GPU takes.</summary>
[Collection("opencl")]
public class GpuExtentTests(OpenClFixture fixture)
{
    [Fact]
    public void KernelsOfNothingDoNothing()
    {
        var gpu = fixture.Twin.Device;
        using var values = gpu.Zeros(new Shape(0, 3));
        gpu.Kernel<Index1D, ArrayView<float>>(Fill)(0, values.AsGpuView<float>());
        gpu.GroupKernel<ArrayView<float>>(FillGroup)(new KernelConfig(0, 16), values.AsGpuView<float>());
        using var tape = new Tape(gpu, recording: true);
        Variable x = tape.Input(values.Share()), s = tape.Input(gpu.Zeros(new Shape(0)));
        tape.Backward(tape.Apply(new ScaleRows(), x, s));
        Assert.Empty(x.Gradient!.ToArray());
    }

    // Behind a result without columns; products that share a matrix are added up one by one, and there may be hundreds of thousands.
    [Fact]
    public void ProductsOverNothingAreNotStarted()
    {
        var gpu = fixture.Twin.Device;
        using var tape = new Tape(gpu, recording: true);
        Variable a = tape.Input(gpu.Zeros(new Shape(4, 3))), b = tape.Input(gpu.Zeros(new Shape(200, 3, 0)));
        var y = tape.MatMul(a, b);
        long before = gpu.Counters.LaunchCount;
        tape.Backward(y);
        Assert.InRange(gpu.Counters.LaunchCount - before, 0, 1);
        Assert.Equal(new float[12], a.Gradient!.ToArray());
    }

    [Theory]
    [InlineData(0, 3, 2)]
    [InlineData(2, 3, 0)]
    public void ALinearMapOfNothingHasZeroGradients(int rows, int inputs, int outputs)
    {
        var gpu = fixture.Twin.Device;
        using var tape = new Tape(gpu, recording: true);
        Variable x = tape.Input(gpu.Zeros(new Shape(rows, inputs))), weight = tape.Input(gpu.Zeros(new Shape(outputs, inputs)));
        var bias = tape.Input(gpu.Zeros(new Shape(outputs)));
        tape.Backward(tape.Linear(x, weight, bias, Activation.Gelu));
        Assert.All(new[] { x, weight, bias }.SelectMany(v => v.Gradient!.ToArray()), g => Assert.Equal(0f, g));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 0)]
    [InlineData(2, 2)]
    public void CopiesMayOverlap(int from, int to)
    {
        var gpu = fixture.Twin.Device;
        float[] values = CaseRandom.Normal("values", 700);
        using var tensor = gpu.FromHost(values, new Shape(7, 100));
        using Tensor source = tensor.Slice(from, 4), target = tensor.Slice(to, 4);
        target.CopyFrom(source);
        values.AsSpan(100 * from, 400).CopyTo(values.AsSpan(100 * to));
        Assert.Equal(values, tensor.ToArray());
    }

    [Fact]
    public void ALogitScaleThatIsNoneShows()
    {
        var gpu = fixture.Twin.Device;
        using var tape = new Tape(gpu, recording: true);
        Variable x = tape.Input(gpu.FromHost([1f, 2f], new Shape(2))), s = tape.Input(gpu.FromHost([float.NaN], new Shape(1)));
        var y = tape.ScaleByExp(x, s, 100);
        tape.Backward(y);
        Assert.All(y.Value.ToArray().Concat(x.Gradient!.ToArray()).Concat(s.Gradient!.ToArray()), v => Assert.True(float.IsNaN(v)));
    }

    // A kernel that does not compile would spoil the device for all others.
    [Fact]
    public void SixteenBitsAreRefusedWhereThereAreNoKernelsForThem()
    {
        var gpu = fixture.Twin.Device;
        Assert.SkipWhen(gpu.HasTensorCores, "a card that has them");
        using var tape = new Tape(gpu, recording: false);
        Variable x = tape.Constant(gpu.Zeros(new Shape(8, 8))), gamma = tape.Constant(gpu.Zeros(new Shape(8)));
        var half = tape.Constant(gpu.Zeros(new Shape(8, 8), DType.BFloat16));
        Assert.Contains("must be float32", Assert.Throws<ArgumentException>(() => tape.LayerNorm(x, gamma, gamma, 1e-5f, DType.Float16)).Message);
        Assert.Contains("must be float32", Assert.Throws<ArgumentException>(() => tape.Linear(half, x, null)).Message);
        Assert.Contains("must be float32", Assert.Throws<ArgumentException>(() => tape.Linear(x, half, null)).Message);
        Assert.Contains("must be float32", Assert.Throws<ArgumentException>(() => tape.Linear(x, x, null, type: DType.BFloat16)).Message);
    }

    [Fact]
    public void ManySequencesLoseTheirMeansAndAreSummed() => fixture.Twin.Check(1e-6, bench =>
    {
        const int batch = GpuSizes.MaxGrid + 3;
        Tensor x = bench.Normal(new Shape(batch, 2)), y = bench.Output(batch, 2), scratch = bench.Output(batch, 1);
        var sums = bench.Keep(bench.Device.Zeros(new Shape(batch)));
        bench.Kernels.Tokens.RemoveMean(x, 1, y, 1, scratch, batch, 2, 1);
        bench.Kernels.Tokens.SumBlocks(x, 1, sums, 2, 1, new BlockRepeat(batch, 2, 1));
        return [y, sums];
    });

    // Recorded and not run: a grid that is too large is refused before.
    [Fact]
    public void LargeProductsFitTheirGrids()
    {
        const int rows = (GpuSizes.MaxGrid * MatMulPlan.SmallEdge) + 70;
        using var gpu = (GpuDevice)DeviceFactory.Open("simulator");
        List<GpuLaunch> launches = [];
        KernelSet.For(gpu).Launcher!.Recorder = launches.Add;
        using var tape = new Tape(gpu, recording: true);
        Variable x = tape.Input(gpu.Empty(new Shape(rows, 1))), weight = tape.Input(gpu.Empty(new Shape(1, 1)));
        var y = tape.Linear(x, weight, null);
        Assert.Equal([GpuSizes.MaxGrid, 2], launches.Select(launch => launch.GridY));
        using var dy = gpu.Empty(y.Shape);
        tape.BackwardFrom(y, dy);
        launches.Clear();
        Variable a = tape.Constant(gpu.Empty(new Shape(GpuSizes.MaxGrid + 5, 1, 1)));
        tape.MatMulTransposed(a, a, 1);
        Assert.Equal([GpuSizes.MaxGrid, 5], launches.Select(launch => launch.GridZ));
    }

    // What a product that was cut computes is what it computes whole.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RowsOfAProductAreThoseOfTheWhole(bool transposed)
    {
        using var cpu = new CpuDevice(1);
        var kernels = KernelSet.For(cpu).MatMul;
        const int m = 7, n = 5, k = 4;
        Tensor Values(string name, params int[] sizes) => cpu.FromHost(CaseRandom.Normal(name, (int)new Shape(sizes).Count), new Shape(sizes));
        using Tensor a = Values("a", m, k), b = Values("b", k, n), bias = Values("bias", n), residual = Values("r", m, n);
        using Tensor whole = Values("c", m, n), cut = whole.Clone(), before = Values("before", m, n), beforeCut = before.Clone();
        Gemm Product(Tensor c, Tensor kept) => new(m, n, k, a, b, c)
        {
            TransposeA = transposed,
            Lda = transposed ? m : k,
            Bias = bias,
            Residual = residual,
            PreActivation = kept,
            Activation = Activation.Gelu,
        };
        kernels.Run(Product(whole, before));
        foreach (var (first, count) in new[] { (0, 3), (3, 1), (4, 3) })
        {
            kernels.Run(Product(cut, beforeCut).Rows(first, count));
        }

        Assert.Equal(whole.ToArray(), cut.ToArray());
        Assert.Equal(before.ToArray(), beforeCut.ToArray());
    }

    private static void Fill(Index1D i, ArrayView<float> values) => values[i] = 1;

    private static void FillGroup(ArrayView<float> values) => values[Grid.IdxX] = 1;
}
