using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Rows shorter than the floor of L2Normalize, 1e-12: they are scaled by a constant, and so is their gradient.</summary>
[Collection("simd")]
public sealed class ShortRowTests : IDisposable
{
    private const float Factor = 1e12f;

    private readonly int _bits = SimdLevel.Bits;

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void TheGradientIsScaledByTheSameConstant(int bits)
    {
        SimdLevel.Bits = bits;
        using var device = new CpuDevice(1);
        Check(device);
    }

    public void Dispose() => SimdLevel.Bits = _bits;

    /// <summary>A row of zeros, one just below the floor and one far above it, of lengths with and without a rest after the vectors.</summary>
    internal static void Check(Device device)
    {
        foreach (int columns in new[] { 1, 3, 16, 37 })
        {
            float[] x = new float[3 * columns], dy = new float[3 * columns];
            for (int i = 0; i < columns; i++)
            {
                x[columns + i] = 0.9e-12f / MathF.Sqrt(columns);
                x[(2 * columns) + i] = 1 + i;
            }

            for (int i = 0; i < dy.Length; i++)
            {
                dy[i] = 1 + (i % 5);
            }

            using var tape = new Tape(device, recording: true);
            using var upstream = device.FromHost(dy, new Shape(3, columns));
            var input = tape.Input(device.FromHost(x, new Shape(3, columns)));
            var y = tape.L2Normalize(input);
            tape.Backward(y, upstream);
            float[] values = y.Value.ToArray(), gradient = input.Gradient!.ToArray();
            for (int i = 0; i < 2 * columns; i++)
            {
                Assert.Equal(x[i] * Factor, values[i], 1e-5f);
                Assert.Equal(dy[i], gradient[i] / Factor, 1e-4f);
            }

            // A long row has its own direction taken out: what is left is at right angles to it.
            double along = 0;
            for (int i = 2 * columns; i < 3 * columns; i++)
            {
                along += (double)x[i] * gradient[i];
            }

            Assert.Equal(0, along, 1e-3);
        }
    }
}
