using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Optimizers;
using Ldvc.Configuration;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>train.clip_grad: the gradients' norm, all parameters together, as torch.nn.utils.clip_grad_norm_.</summary>
public sealed class ClipGradientTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AStepIsThatOfGradientsOfTheGivenNorm(int parts)
    {
        using var data = new TinyData();
        using var device = new CpuDevice(1);
        var (plain, norm) = Moments(data, device, 0, parts);
        double limit = norm / 4;
        var (clipped, same) = Moments(data, device, limit, parts);
        Assert.Equal(norm, same, norm * 1e-6);

        // Adam's first moment after one step is (1 - beta1) times the gradient: a quarter of the one without clipping.
        for (int i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i] * limit / norm, clipped[i], 1e-6 * Math.Max(Math.Abs(plain[i]), 1e-3));
        }

        // A norm below the limit leaves every bit as it is.
        Assert.Equal(plain, Moments(data, device, 2 * norm, parts).Moments);
    }

    private static (float[] Moments, double Norm) Moments(TinyData data, Device device, double limit, int parts)
    {
        string[] settings =
        [
            "model.prompts.vision=2", "model.decoder.layers=1", "augment.scale=[128,80]", "augment.crop=64", "train.batch=2", "data.workers=1",
            $"train.accumulate={parts}", FormattableString.Invariant($"train.clip_grad={limit:R}"),
        ];
        LdvcConfig config = ConfigLoader.Load(SmallRun.OwnConfig(data), settings);
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 0);
        using var trainer = new LdvcTrainer(loaded, DrawnData.Registry.OpenTraining(config), config);
        trainer.RunStep();
        float[] first = [.. trainer.Optimizer.Moments.SelectMany(m => m.First.ToArray())];
        double norm = Math.Sqrt(first.Sum(m => (double)m * m)) / (1 - config.Train.Betas[0]);
        return (first, limit == 0 ? norm : ((ITrainable)trainer).Parts.Single(p => p.Name == "gradient_norm").Value);
    }
}
