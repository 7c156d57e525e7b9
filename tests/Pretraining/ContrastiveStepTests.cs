using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Lab.Pretraining;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Pretraining;

public class ContrastiveStepTests
{
    private static readonly Ldvc.Clip.ClipConfig Sizes = new(new TowerConfig(64, 1, 1, 128), new TowerConfig(64, 1, 1, 128), 32, 16, 8, 8, 40);

    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(1f, 0f)]
    [InlineData(1f, 10f)]
    public void EveryParameterGetsAGradientAndFollowingItLowersTheLoss(float patchWeight, float patchFocus)
    {
        using var device = new CpuDevice(1);
        using var model = new ClipModel(new RandomWeights(new Initializer(device, 1)), Sizes);
        using var pictures = Pictures(device, 4);
        var texts = TokenBatch.Create([38, 1, 2, 39, 0, 38, 3, 4, 39, 0, 38, 5, 39, 0, 0, 38, 7, 8, 9, 39], 4);
        long before = device.Pool.LiveBlocks;
        float first = ContrastiveStep.Run(model, device, pictures, texts, patchWeight, patchFocus, 100);
        foreach (var (name, parameter) in model.Parameters())
        {
            Assert.True(parameter.Gradient is not null, name);
        }

        int gradients = model.Parameters().Count();
        Assert.Equal(before + gradients, device.Pool.LiveBlocks);

        using var optimizer = new Ldvc.Autograd.Optimizers.AdamW(model.Parameters(), 0.9f, 0.98f, 1e-6f, _ => 0);
        float loss = first;
        for (int i = 0; i < 30; i++)
        {
            optimizer.Step(1e-3f);
            loss = ContrastiveStep.Run(model, device, pictures, texts, patchWeight, patchFocus, 100);
        }

        Assert.InRange(loss, 0, 0.5f * first);
    }

    [Fact]
    public void AnUntrainedModelGuesses()
    {
        using var device = new CpuDevice(1);
        using var model = new ClipModel(new RandomWeights(new Initializer(device, 1)), Sizes);
        using var pictures = Pictures(device, 2);

        // Two equal texts: the loss of any model is that of guessing between two, at least log 2.
        var texts = TokenBatch.Create([38, 1, 2, 39, 38, 1, 2, 39], 2);
        Assert.InRange(ContrastiveStep.Run(model, device, pictures, texts, 0, 0, 100), MathF.Log(2) - 1e-4f, 10f);
    }

    private static Tensor Pictures(Device device, int count)
    {
        var random = new CounterRandom(5);
        var values = new float[count * 3 * 16 * 16];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextNormal();
        }

        return device.FromHost(values, new Shape(count, 3, 16, 16));
    }
}
