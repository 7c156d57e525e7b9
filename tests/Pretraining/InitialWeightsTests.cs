using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Lab.Pretraining;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Pretraining;

public sealed class InitialWeightsTests : IDisposable
{
    private static readonly string[] Small =
    [
        "pretrain.steps=4", "pretrain.batch=8", "pretrain.warmup=0", "pretrain.vision.width=64", "pretrain.vision.layers=1", "pretrain.text.width=64",
            "pretrain.text.layers=1", "pretrain.embed=16",
        "pretrain.text.vocabulary=640",
    ];

    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(1);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void TrainingGoesOnFromThem()
    {
        string first = _folder.File("first");
        float[] written;
        using (var trainer = Create())
        {
            Step(trainer);
            trainer.Export(first);
            written = Values(trainer.Model);
        }

        using var second = Create($"pretrain.init={first}", "pretrain.seed=7");
        float[] start = Values(second.Model);
        Assert.Equal(written, start, (a, b) => MathF.Abs(a - b) <= 1e-3f * MathF.Max(1e-2f, MathF.Abs(b)));
        Assert.Equal(VocabularyFiles.Load(first).Merges, second.Vocabulary.Merges);
        Step(second);
        Assert.NotEqual(start, Values(second.Model));

        // The temperature that was reached, not the one a run from random weights starts with.
        using var file = ClipCheckpoint.Find(first).Load(_device);
        using var third = Create($"pretrain.init={first}", "pretrain.temperature=0.5");
        Assert.Equal(file.LogitScale.Value.ToArray(), third.Model.LogitScale.Value.ToArray());

        // But never one below the lowest, less what keeps its gradient alive.
        using var fourth = Create($"pretrain.init={first}", "pretrain.least_temperature=0.5");
        Assert.InRange(fourth.Model.LogitScale.Value.ToScalar(), MathF.Log(2) - 2e-6f, MathF.Log(2) - 1e-7f);
    }

    [Fact]
    public void SizesMustBeItsOwn()
    {
        string first = _folder.File("first");
        using (var trainer = Create())
        {
            trainer.Export(first);
        }

        var sizes = Assert.Throws<InputException>(() => Create($"pretrain.init={first}", "pretrain.embed=32"));
        Assert.EndsWith("is a CLIP of other sizes: embed expected 32, found 16", sizes.Message, StringComparison.Ordinal);
        var tokens = Assert.Throws<InputException>(() => Create($"pretrain.init={first}", "pretrain.text.vocabulary=600"));
        Assert.Contains("pretrain.text.vocabulary allows 600", tokens.Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => Create($"pretrain.init={_folder.File("nothing")}"));
    }

    private static float[] Values(Module model) => [.. model.Parameters().SelectMany(p => p.Parameter.Value.ToArray())];

    private static void Step(Pretrainer trainer) => trainer.RunStep(trainer.CreateBatches());

    private Pretrainer Create(params string[] settings) =>
        new(ConfigLoader.Load(SmallRun.Config("demo/pretrain"), [.. Small, .. settings]).Pretrain, _device, 1);
}
