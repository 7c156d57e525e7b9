using Ldvc.Kernels.CrossEntropy.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public class CrossEntropyTests
{
    [Theory]
    [InlineData(1, 1, 128)]
    [InlineData(7, 5, 128)]
    [InlineData(33, 171, 256)]
    [InlineData(64, 2048, 256)]
    [InlineData(19, 40, 512)]
    [InlineData(300, 151, 512)]
    public void MatchesDoublePrecision(int rows, int columns, int bits)
    {
        float[] logits = Logits(rows * columns, 6);
        int[] targets = Targets(rows, columns);
        var (expectedLoss, expectedGradient) = Reference(logits, targets, rows, columns, 1.7);
        var (loss, gradient) = Run(logits, targets, rows, columns, bits, 2, 1.7f, accumulate: false);
        Assert.Equal(expectedLoss, loss, 2e-6 * Math.Max(1, expectedLoss));
        double largest = expectedGradient.Max(Math.Abs) + 1e-12;
        for (int i = 0; i < gradient.Length; i++)
        {
            Assert.Equal(expectedGradient[i], gradient[i], 3e-6 * largest);
        }

        // Accumulation starts from ones.
        var (_, added) = Run(logits, targets, rows, columns, bits, 2, 1.7f, accumulate: true);
        for (int i = 0; i < gradient.Length; i++)
        {
            Assert.Equal(1 + expectedGradient[i], added[i], 3e-6);
        }
    }

    [Fact]
    public void GradientIsTheSlopeOfTheLoss()
    {
        const int rows = 2, columns = 3;
        float[] logits = Logits(rows * columns, 1);
        int[] targets = Targets(rows, columns);
        var (_, gradient) = Run(logits, targets, rows, columns, 256, 1, 1f, accumulate: false);
        for (int i = 0; i < logits.Length; i++)
        {
            const float step = 1f / 64;
            float[] plus = [.. logits], minus = [.. logits];
            plus[i] += step;
            minus[i] -= step;
            double slope = (Run(plus, targets, rows, columns, 256, 1, 1f, false).Loss
                - Run(minus, targets, rows, columns, 256, 1, 1f, false).Loss) / (2 * step);
            Assert.Equal(slope, gradient[i], 1e-4);
        }
    }

    [Fact]
    public void LargeLogitsStayFiniteAndNanShows()
    {
        const int rows = 3, columns = 21;
        float[] logits = Logits(rows * columns, 1);
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] = logits[i] > 0 ? 200 : -200;
        }

        var (loss, gradient) = Run(logits, Targets(rows, columns), rows, columns, 256, 1, 1f, false);
        Assert.True(double.IsFinite(loss));
        Assert.All(gradient, x => Assert.True(float.IsFinite(x)));
        foreach (int position in new[] { 3, 20, 41 })
        {
            float[] broken = [.. logits];
            broken[position] = float.NaN;
            foreach (int bits in new[] { 128, 256, 512 })
            {
                Assert.True(double.IsNaN(Run(broken, Targets(rows, columns), rows, columns, bits, 1, 1f, false).Loss));
            }
        }
    }

    [Fact]
    public void ThreadsDoNotChangeABit()
    {
        const int rows = 500, columns = 173;
        float[] logits = Logits(rows * columns, 3);
        var one = Run(logits, Targets(rows, columns), rows, columns, 256, 1, 1f, false);
        var two = Run(logits, Targets(rows, columns), rows, columns, 256, 2, 1f, false);
        Assert.Equal(one.Loss, two.Loss);
        Assert.Equal(one.Gradient, two.Gradient);
    }

    [Fact]
    public void TargetOutsideTheRowIsRefused()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Run(Logits(10, 1), [1, 5], 2, 5, 256, 1, 1f, false));
        Assert.Contains("target 5 of row 1", error.Message, StringComparison.Ordinal);
    }

    private static float[] Logits(int count, double scale)
    {
        var random = new CounterRandom(5, 1);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(scale * random.NextNormal()))];
    }

    private static int[] Targets(int rows, int columns)
    {
        var random = new CounterRandom(6, 1);
        return [.. Enumerable.Range(0, rows).Select(_ => random.NextInt(columns))];
    }

    private static (double Loss, double[] Gradient) Reference(float[] logits, int[] targets, int rows, int columns, double lossGradient)
    {
        double loss = 0;
        var gradient = new double[logits.Length];
        for (int row = 0; row < rows; row++)
        {
            double[] x = [.. logits.Skip(row * columns).Take(columns).Select(v => (double)v)];
            double logSum = Math.Log(x.Sum(Math.Exp));
            loss += (logSum - x[targets[row]]) / rows;
            for (int c = 0; c < columns; c++)
            {
                gradient[(row * columns) + c] = (Math.Exp(x[c] - logSum) - (c == targets[row] ? 1 : 0)) * lossGradient / rows;
            }
        }

        return (loss, gradient);
    }

    private static (double Loss, float[] Gradient) Run(
        float[] logits, int[] targets, int rows, int columns, int bits, int threads, float lossGradient, bool accumulate)
    {
        int before = SimdLevel.Bits;
        using var device = new CpuDevice(threads);
        try
        {
            SimdLevel.Bits = bits;
            var kernels = new CpuCrossEntropy(device.Threads);
            using var x = device.FromHost(logits, new Shape(rows, columns));
            using var t = device.FromHost(targets, new Shape(rows));
            using var logSum = device.Empty(new Shape(rows + 1));
            using var loss = device.Empty(new Shape(1));
            using var dx = device.FromHost(Enumerable.Repeat(1f, rows * columns).ToArray(), new Shape(rows, columns));
            kernels.Forward(x, t, logSum, loss, rows, columns, -100);
            using var scale = device.FromHost([lossGradient], new Shape(1));
            kernels.Backward(x, t, logSum, scale, dx, accumulate, rows, columns, -100);
            return (loss.ToScalar(), dx.ToArray());
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }
}
