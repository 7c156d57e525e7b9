using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Sums over more rows than float32 counts: past 2^24, adding one changes nothing there.</summary>
public sealed class LongSumTests : IDisposable
{
    private const int Rows = (1 << 24) + 4096;

    private readonly CpuDevice _device = new(2);

    [Fact]
    public void ColumnSumsCountEveryRow()
    {
        using Tensor ones = Filled(1, Rows), sums = _device.Zeros(new Shape(1)), others = _device.Zeros(new Shape(1));
        var kernels = KernelSet.For(_device);
        kernels.Elementwise.ColumnSums(ones, sums, Rows, 1);
        Assert.Equal((float)Rows, sums.ToScalar());
        kernels.Tokens.SumBlocks(ones, 1, others, Rows, 1);
        Assert.Equal((float)Rows, others.ToScalar());
    }

    [Fact]
    public void GradientsOfALayerNormCountEveryRow()
    {
        using Tensor ones = Filled(1, Rows), zeros = Filled(0, Rows), one = Filled(1, 1);
        using Tensor dgamma = _device.Zeros(new Shape(1)), dbeta = _device.Zeros(new Shape(1));

        // x less its mean, times 1 / deviation, is 1 in every row.
        KernelSet.For(_device).Normalization.LayerNormBackward(ones, one, zeros, ones, ones, default, false, dgamma, dbeta, Rows, 1);
        Assert.Equal(((float)Rows, (float)Rows), (dgamma.ToScalar(), dbeta.ToScalar()));
    }

    [Fact]
    public void SoftMaximaOfTokensCountEveryToken()
    {
        using Tensor zeros = Filled(0, Rows), largest = _device.Zeros(new Shape(1));
        KernelSet.For(_device).Tokens.LogMeanExp(zeros, largest, 1, Rows, 1, 1);
        Assert.Equal(0f, largest.ToScalar());
    }

    [Fact]
    public void SoftmaxDownColumnsCountsEveryRow()
    {
        using Tensor x = Filled(0, 2 * Rows), ones = Filled(1, 2 * Rows);
        var softmax = KernelSet.For(_device).Softmax;
        softmax.Forward(x, x, true, 1, Rows, 2);
        using Tensor first = x.Slice(0, 1);
        Assert.Equal(-Math.Log(Rows), first.ToScalar(), 2e-6);

        // 1 less the sum of the ones, times the weight.
        softmax.Backward(x, ones, x, true, false, 1, Rows, 2);
        Assert.Equal(0, first.ToScalar(), 1e-5f);
    }

    public void Dispose() => _device.Dispose();

    private Tensor Filled(float value, int count)
    {
        var tensor = _device.Empty(new Shape(count));
        KernelSet.For(_device).Elementwise.Fill(tensor, value, count);
        return tensor;
    }
}
