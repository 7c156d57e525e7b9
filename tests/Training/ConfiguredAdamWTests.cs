using Ldvc.Tensors;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

public class ConfiguredAdamWTests
{
    [Theory]
    [InlineData(0.9, 0.99999999, 1e-8, 0.01, "train.betas")]
    [InlineData(0.9, 0.999, 1e-50, 0.01, "train.eps")]
    [InlineData(0.9, 0.999, 1e50, 0.01, "train.eps")]
    [InlineData(0.9, 0.999, 1e-8, 1e39, "train.weight_decay")]
    public void NumbersThatRoundingTakesOutOfTheirRangeAreRefused(double beta1, double beta2, double epsilon, double decay, string option)
    {
        var refused = Assert.Throws<InputException>(() => ConfiguredAdamW.Create("train", [], [beta1, beta2], epsilon, decay, _ => true));
        Assert.StartsWith($"{option}: expected ", refused.Message, StringComparison.Ordinal);
    }
}
