using Ldvc.Distributed;
using Ldvc.Tensors;
using Ldvc.Tests.Distributed;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>What is said of a step with bad numbers, and whether its weights may be saved.</summary>
public sealed class BadStepTests
{
    private const string TooLarge = "a number beyond 65504, the largest of fp16, was to be stored; precision bf16 holds it";

    [Theory]
    [InlineData(1f, null, false, "Fp16", null, false)]
    [InlineData(float.NaN, null, true, "Fp16", TooLarge + ": resume with train.precision=bf16 (pictures a, b)", false)]
    [InlineData(float.NaN, "q", false, "Fp16", "the loss is NaN; first bad tensor: w (pictures a, b); try a lower train.lr", true)]
    [InlineData(1f, "q", false, "Bf16", "first bad tensor: the gradient of q (pictures a, b); try a lower train.lr", true)]
    [InlineData(
        1f,
        "q",
        false,
        "Fp16",
        "first bad tensor: the gradient of q (pictures a, b); try a lower train.lr, or resume with train.precision=bf16: numbers of fp16 end at "
            + "65504",
        false)]
    public void SaysWhatHelps(float loss, string? gradient, bool tooLarge, string precision, string? message, bool diverged)
    {
        BadStep? found = BadStep.Of(loss, gradient, tooLarge, Enum.Parse<Precision>(precision), () => "w", ["a", "b"]);
        Assert.Equal(message is null ? null : new BadStep(message, diverged), found);
    }

    [Fact]
    public void TheWorseNewsOfTwoPartsCounts()
    {
        BadStep large = new("large", false), nan = new("nan", true);
        Assert.Equal(new BadStep("large", true), BadStep.Both(large, nan));
        Assert.Equal(new BadStep("nan", true), BadStep.Both(nan, large));
        Assert.Equal(large, BadStep.Both(large, null));
        Assert.Equal(large, BadStep.Both(null, large));
        Assert.Null(BadStep.Both(null, null));
    }

    /// <summary>All processes of a job save, or none does.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ProcessesAgree(bool second)
    {
        var said = Ranks.Run(3, job =>
        {
            (double, double, double) losses = (1, 2, 3);
            bool diverged = second && job.Group.Rank == 2;
            string? bad = new StepExchange(job).AddLosses(ref losses, job.IsFirst ? null : "bad", ref diverged);
            return (bad, diverged, losses);
        });
        Assert.All(said, each => Assert.Equal(("rank 1: bad", second, (3, 6, 9)), each));
    }
}
