using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The vision tower's frozen matrices live in bf16 alone where products multiply in bf16.</summary>
[Collection("simulator")]
public class TensorCoreWeightTests(SimulatorFixture fixture)
{
    private static readonly string[] Matrices = ["in_proj_weight", "out_proj.weight", "c_fc.weight", "c_proj.weight", "conv1.weight", "proj"];

    [Fact]
    public void MatricesAreStoredOnceInBf16AndEverythingElseInFloat32()
    {
        var device = fixture.Twin.Device;
        long before = device.Pool.LiveBytes;
        long[] bytes = [.. new[] { Precision.Fp32, Precision.Bf16 }.Select(precision =>
        {
            device.Precision = precision;
            try
            {
                using var clip = TinyClip.Load(device);
                foreach (var (name, parameter) in clip.Parameters())
                {
                    bool matrix = precision == Precision.Bf16 && name.StartsWith("visual.", StringComparison.Ordinal) && Matrices.Any(
                        end => name.EndsWith(end, StringComparison.Ordinal));
                    Assert.True(parameter.Value.DType == (matrix ? DType.BFloat16 : DType.Float32), $"{name} is {parameter.Value.DType}");
                }

                return device.Pool.LiveBytes - before;
            }
            finally
            {
                device.Precision = Precision.Fp32;
            }
        })];
        Assert.Equal(before, device.Pool.LiveBytes);

        // Four matrices of 128 x 128 to 128 x 512 in each of 2 blocks, a convolution and a projection.
        long matrices = 4 * ((2 * ((4 * 128 * 128) + (2 * 128 * 512))) + (768 * 128) + (128 * 64));
        Assert.Equal(matrices / 2, bytes[0] - bytes[1]);
    }

    [Fact]
    public void ForwardAndInputGradientReadTheSameNumbers()
    {
        (float[] Output, float[] Gradient) expected = Run(Precision.Fp32), actual = Run(Precision.Bf16);
        AttentionReference.Close([.. expected.Output.Select(x => (double)x)], actual.Output, 5e-3, "output");
        AttentionReference.Close([.. expected.Gradient.Select(x => (double)x)], actual.Gradient, 1e-2, "gradient");
    }

    // A picture through a block of the vision tower and back to its tokens.
    private (float[] Output, float[] Gradient) Run(Precision precision)
    {
        var device = fixture.Twin.Device;
        device.Precision = precision;
        try
        {
            using var clip = TinyClip.Load(device);
            using var tape = new Tape(device, recording: true);
            using var image = device.FromHost(TensorCoreReference.Normal(3 * 64 * 64, 1), new Shape(1, 3, 64, 64));
            using var embedded = clip.Visual.Embed(tape, image);
            var tokens = tape.Input(embedded.Value.Share());
            var output = clip.Visual.Project(tape, clip.Visual.Block(tape, 0, tokens));
            tape.Backward(output);
            return (output.Value.ToArray(), tokens.Gradient!.ToArray());
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }
}
