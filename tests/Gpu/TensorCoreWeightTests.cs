using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>The vision tower's frozen matrices live in 16 bits alone where products multiply so.</summary>
[Collection("simulator")]
public class TensorCoreWeightTests(SimulatorFixture fixture)
{
    private static readonly string[] Matrices = ["in_proj_weight", "out_proj.weight", "c_fc.weight", "c_proj.weight", "conv1.weight", "proj"];

    [Theory]
    [InlineData("Bf16")]
    [InlineData("Fp16")]
    public void MatricesAreStoredOnceIn16BitsAndEverythingElseInFloat32(string stored)
    {
        var half = Enum.Parse<Precision>(stored);
        var device = fixture.Twin.Device;
        long before = device.Pool.LiveBytes;
        long[] bytes = [.. new[] { Precision.Fp32, half }.Select(precision =>
        {
            device.Precision = precision;
            try
            {
                using var clip = TinyClip.Load(device);
                foreach (var (name, parameter) in clip.Parameters())
                {
                    bool matrix = precision == half && name.StartsWith("visual.", StringComparison.Ordinal) && Matrices.Any(
                        end => name.EndsWith(end, StringComparison.Ordinal));
                    Assert.True(parameter.Value.DType == (matrix ? half.HalfType() : DType.Float32), $"{name} is {parameter.Value.DType}");
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

    // In fp16 the gradient that comes in is 1e-8, which its numbers end above.
    [Theory]
    [InlineData("Bf16", 5e-3, 1e-2, 1f)]
    [InlineData("Fp16", 6e-4, 1.5e-3, 1e-8f)]
    public void ForwardAndInputGradientReadTheSameNumbers(string precision, double outputBound, double gradientBound, float gradient)
    {
        (float[] Output, float[] Gradient) expected = Run(Precision.Fp32, 1), actual = Run(Enum.Parse<Precision>(precision), gradient);
        AttentionReference.Close([.. expected.Output.Select(x => (double)x)], actual.Output, outputBound, "output");
        AttentionReference.Close(
            [.. expected.Gradient.Select(x => (double)x)], [.. actual.Gradient.Select(x => x / gradient)], gradientBound, "gradient");
    }

    // A picture through a block of the vision tower and back to its tokens.
    private (float[] Output, float[] Gradient) Run(Precision precision, float gradient)
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
            using var incoming = device.FromHost([.. Enumerable.Repeat(gradient, (int)output.Value.Count)], output.Shape);
            tape.Backward(output, incoming);
            return (output.Value.ToArray(), tokens.Gradient!.ToArray());
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }
}
