using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>ViT-B/16 at 224, random weights: real sizes through every kernel of the vision tower.</summary>
[Collection("opencl")]
public class GpuVitTests(OpenClFixture fixture)
{
    [Fact]
    public void VitB16ForwardMatchesTheCpu()
    {
        var device = fixture.Twin.Device;
        using var cpu = new CpuDevice();
        float[][] expected = Encode(cpu), actual = Encode(device);
        for (int output = 0; output < expected.Length; output++)
        {
            Assert.All(actual[output], value => Assert.True(float.IsFinite(value)));
            Assert.Equal(expected[output].Length, actual[output].Length);
            float largest = expected[output].Max(Math.Abs);
            double worst = expected[output].Zip(actual[output], (e, a) => Math.Abs(e - a)).Max();
            Assert.True(worst <= 2e-5 * largest, $"output {output}: difference {worst:e2} of {largest:e2}");
        }
    }

    private static float[][] Encode(Device device)
    {
        long before = device.Pool.LiveBlocks;
        float[][] outputs;
        var text = new TowerConfig(64, 1, 1, 64);
        using (var model = new ClipModel(new QuickWeights(device), new ClipConfig(new TowerConfig(768, 12, 12, 3072), text, 512, 224, 16, 8, 49)))
        using (var tape = new Tape(device, recording: false))
        {
            var random = new CounterRandom(4);
            float[] pixels = [.. Enumerable.Range(0, 3 * 224 * 224).Select(_ => (float)random.NextNormal())];
            using var picture = device.FromHost(pixels, new Shape(1, 3, 224, 224));
            var (token, patches) = model.Visual.EncodeDense(tape, picture);
            outputs = [token.Value.ToArray(), patches.Value.ToArray()];
        }

        Assert.True(device.Pool.LiveBlocks - before <= 1);
        return outputs;
    }

    // 86 million weights of the usual deviations, uniform: faster to draw than normal numbers.
    private sealed class QuickWeights(Device device) : IWeightSource
    {
        private uint _state = 1;

        public Parameter Get(string name, Shape shape, double std, float constant = 0)
        {
            var values = new float[shape.Count];
            float width = (float)(std * Math.Sqrt(12));
            for (int i = 0; i < values.Length; i++)
            {
                _state = (_state * 1664525) + 1013904223;
                values[i] = std > 0 ? width * ((_state >> 8) / 16777216f - 0.5f) : constant;
            }

            return new Parameter(device.FromHost(values, shape), trainable: false);
        }

        public Parameter GetProjection(string name, int outputs, int inputs, double std) => Get(name, new Shape(outputs, inputs), std);
    }
}
