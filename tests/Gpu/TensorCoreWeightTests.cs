using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Kernels;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Frozen matrices live in bf16 alone where products multiply in bf16: the numbers are those of rounding at each use, to the bit.</summary>
[Collection("simulator")]
public class TensorCoreWeightTests(SimulatorFixture fixture)
{
    private static readonly string[] Matrices = ["in_proj_weight", "out_proj.weight", "c_fc.weight", "c_proj.weight", "conv1.weight", "proj", "text_projection"];

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
                    bool matrix = precision == Precision.Bf16 && Matrices.Any(end => name.EndsWith(end, StringComparison.Ordinal));
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

        // Four matrices of 128 x 384 to 128 x 512 in each of 4 blocks, a convolution and two projections.
        long matrices = 4 * (4 * ((4 * 128 * 128) + (2 * 128 * 512)) + (768 * 128) + (2 * 128 * 64));
        Assert.Equal(matrices / 2, bytes[0] - bytes[1]);
    }

    [Fact]
    public void ResultsAndGradientsAreThoseOfRoundingAtEachUse()
    {
        float[][] expected = Run(storedInBf16: false), actual = Run(storedInBf16: true);
        Assert.Equal(expected[0], actual[0]);
        Assert.Equal(expected[1], actual[1]);

        // Two rows are too few for the tensor cores: the portable kernel sees the rounded weights here, float32 ones there.
        Assert.NotEqual(expected[2], actual[2]);
        AttentionReference.Close([.. expected[2].Select(x => (double)x)], actual[2], 1e-2, "texts");
    }

    // A picture through the vision tower and back to its tokens, and two texts.
    private float[][] Run(bool storedInBf16)
    {
        var device = fixture.Twin.Device;
        device.Precision = storedInBf16 ? Precision.Bf16 : Precision.Fp32;
        try
        {
            using var clip = TinyClip.Load(device);
            device.Precision = Precision.Bf16;
            using var tape = new Tape(device, recording: true);
            using var image = device.FromHost(TensorCoreReference.Normal(3 * 64 * 64, 1), new Shape(1, 3, 64, 64));
            using var embedded = clip.Visual.Embed(tape, image);
            var tokens = tape.Input(embedded.Value.Share());
            var output = clip.Visual.Project(tape, clip.Visual.Block(tape, 0, tokens));
            tape.Backward(output);
            var texts = clip.Text.Encode(tape, TokenBatch.Create(TinyClip.Ids("a photo of a cat", "sky"), 2));
            return [output.Value.ToArray(), tokens.Gradient!.ToArray(), texts.Value.ToArray()];
        }
        finally
        {
            device.Precision = Precision.Fp32;
        }
    }
}
