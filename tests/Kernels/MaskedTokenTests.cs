using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Ldvc.Tests.Gpu;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>-infinity where a token or a score is masked, and where a model has diverged.</summary>
[Collection("opencl")]
public class MaskedTokenTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AMaskedTokenCountsForNothingInASoftMaximum(bool gpu)
    {
        using var cpu = new CpuDevice(1);
        Device device = gpu ? fixture.Twin.Device : cpu;
        using var tape = new Tape(device, recording: true);
        float[] values = [.. Enumerable.Range(0, 3 * 19).Select(i => i / 19 == 1 ? float.NegativeInfinity : i % 7)];
        var x = tape.Input(device.FromHost(values, new Shape(1, 3, 19)));
        var y = tape.LogMeanExpTokens(x, 2);
        tape.Backward(y);
        float[] actual = y.Value.ToArray(), gradient = x.Gradient!.ToArray();
        for (int i = 0; i < 19; i++)
        {
            double expected = Math.Log((Math.Exp(2 * values[i]) + Math.Exp(2 * values[38 + i])) / 3) / 2;
            Assert.Equal(expected, actual[i], 1e-5);
            Assert.Equal(0, gradient[19 + i], 1e-12);
        }
    }

    // As in PyTorch: the first query sees one key, of -infinity; what the mask hides must not take its place.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ScoresThatAreAllInfiniteShow(bool gpu)
    {
        using var cpu = new CpuDevice(1);
        Device device = gpu ? fixture.Twin.Device : cpu;
        using var tape = new Tape(device, recording: false);
        var qkv = tape.Constant(device.FromHost([1, float.NegativeInfinity, 3, 1, 1, 5], new Shape(1, 2, 3)));
        float[] o = tape.SelfAttention(qkv, 1, causal: true).Value.ToArray();
        Assert.True(float.IsNaN(o[0]), $"{o[0]}");
        Assert.Equal(5, o[1]);
    }
}
