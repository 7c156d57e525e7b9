using Ldvc.Autograd;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Kernels;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>One step of the trainer against the same step done by hand, and what happens when numbers are none any more.</summary>
public sealed class TrainerTests
{
    // No dropout: the hand-made step below is then the trainer's own. Four classes, 1 and 3 unseen.
    private static readonly LdvcConfig Config = new()
    {
        Model = new ModelConfig { Prompts = new PromptConfig { Vision = 2, Dropout = 0 }, Decoder = new DecoderConfig { Dropout = 0, Layers = 2 } },
        Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 },
        Train = new TrainConfig { Batch = 2, Seed = 5, Warmup = 0 },
        Data = new DataConfig { Workers = 1 },
        Loss = new LossConfig { Focal = 20, Dice = 3, Alpha = 0.4 },
    };

    [Theory]
    [InlineData("Inductive")]
    [InlineData("Transductive")]
    [InlineData("Full")]
    public void TheLossIsThatOfTheSettingsLabels(string name)
    {
        var setting = Enum.Parse<TrainSetting>(name);
        LdvcConfig config = Config with { Train = Config.Train with { Setting = setting } };
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
        var dataset = new Data.MemoryDataset(6);
        string[] names = setting == TrainSetting.Inductive ? ["a", "c"] : ["a", "b", "c", "d"];
        double[] expected = ByHand(loaded, dataset, config, names, out int pseudo);
        using var trainer = new LdvcTrainer(loaded, dataset, config);
        StepResult step = trainer.RunStep();
        Assert.Equal(expected[0], step.Loss, 2e-5 * expected[0]);
        Assert.Equal(expected[1], step.Focal, 2e-5 * expected[1]);
        Assert.Equal(expected[2], step.Dice, 2e-5 * expected[2]);
        Assert.Equal(2e-4, step.LearningRate, 1e-9);
        Assert.Equal(1, trainer.Step);
        Assert.Equal(setting == TrainSetting.Transductive, pseudo > 100);
    }

    /// <summary>Softmax does not see what is added to every key; the attention head's mask logits do, in the last layer.</summary>
    [Theory]
    [InlineData("Attention", "decoder.layers.1.cross.k.bias")]
    [InlineData("Dot", null)]
    public void BiasesOfKeysHaveNoGradientWhereOnlySoftmaxReadsThem(string head, string? trained)
    {
        LdvcConfig config = Config with { Model = Config.Model with { Head = Enum.Parse<MaskHead>(head) } };
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
        var before = loaded.Model.Parameters().ToDictionary(p => p.Name, p => p.Parameter.Value.ToArray());
        using var trainer = new LdvcTrainer(loaded, new Data.MemoryDataset(6), config);
        trainer.RunStep();
        string[] changed = [.. loaded.Model.Parameters().Where(p => !p.Parameter.Value.ToArray().SequenceEqual(before[p.Name])).Select(p => p.Name)];
        Assert.Equal(trained is null ? [] : [trained], changed.Where(name => name.EndsWith(".k.bias", StringComparison.Ordinal)));
        Assert.Contains("decoder.layers.0.self.q.bias", changed);
        Assert.Contains("decoder.layers.0.cross.v.bias", changed);
    }

    [Fact]
    public void HalvesOfABatchGiveTheMeanOfTheirLosses()
    {
        double Loss(int batch, int accumulate, int skip)
        {
            LdvcConfig config = Config with { Train = Config.Train with { Batch = batch, Accumulate = accumulate, Lr = 0, MinLr = 0 } };
            using var device = new CpuDevice(1);
            using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, device, 5);
            using var trainer = new LdvcTrainer(loaded, new Data.MemoryDataset(6), config);
            for (int i = 0; i < skip; i++)
            {
                trainer.RunStep();
            }

            return trainer.RunStep().Loss;
        }

        // A learning rate of zero: the second step of batch 1 sees the picture that the second half of batch 2 sees.
        Assert.Equal((Loss(1, 1, 0) + Loss(1, 1, 1)) / 2, Loss(2, 2, 0), 1e-5);
    }

    [Theory]
    [InlineData("decoder.layers.1.cross.q.weight", float.NaN)]
    [InlineData("visual.prompt.shallow", float.PositiveInfinity)]
    [InlineData("text.prompt", float.NegativeInfinity)]
    public void ABadParameterIsNamed(string name, float value)
    {
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new Data.MemoryDataset(6), Config);
        Poison(loaded.Model.Parameters().Single(p => p.Name == name).Parameter.Value, value);
        string message = Assert.Throws<InputException>(() => trainer.RunStep()).Message;
        Assert.Contains($"training stopped at step 0: the loss is NaN; first bad tensor: parameter {name} (pictures m", message);
        Assert.Contains("try a lower train.lr", message);
        Assert.True(trainer.HasDiverged);
        Assert.Equal(0, trainer.Step);
    }

    [Fact]
    public void ABadClipIsNamedToo()
    {
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new Data.MemoryDataset(6), Config);
        Poison(loaded.Clip.Parameters().Single(p => p.Name == "visual.ln_post.bias").Parameter.Value, float.NaN);
        Assert.Contains("first bad tensor: parameter clip.visual.ln_post.bias", Assert.Throws<InputException>(() => trainer.RunStep()).Message);
    }

    [Fact]
    public void ABadPictureFileIsNoDivergence()
    {
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, device, 5);
        using var trainer = new LdvcTrainer(loaded, new Data.MemoryDataset(1, 0, new InputException("m0.jpg: broken, expected a picture")), Config);
        Assert.Equal("m0.jpg: broken, expected a picture", Assert.Throws<InputException>(() => trainer.RunStep()).Message);
        Assert.False(trainer.HasDiverged);
    }

    [Fact]
    public void TransductiveTrainingNeedsUnseenClasses()
    {
        using var device = new CpuDevice(1);
        using var loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, device, 5);
        LdvcConfig config = Config with { Train = Config.Train with { Setting = TrainSetting.Transductive } };
        var seen = new ResplitDataset(new Data.MemoryDataset(6), ZeroShotSplit.AllSeen(4));
        Assert.Contains(
            "expected a data set with unseen classes, but memory has none",
            Assert.Throws<InputException>(() => new LdvcTrainer(loaded, seen, config)).Message);
    }

    // method.md 7 and 8 written plainly: labels from the ground truth, pseudo labels from the upsampled logits, the loss in double precision.
    private static double[] ByHand(LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, string[] names, out int pseudo)
    {
        TrainSetting setting = config.Train.Setting;
        var everything = new LabelMapping(dataset.Split, LabelProtocol.Supervised);
        using var loader = new DataLoader(
            dataset,
            new Augmentation(config.Augment, PictureStatistics.Of(config.Data, Ldvc.Imaging.ImageStatistics.Clip)),
            everything,
            new DataLoaderOptions { BatchSize = 2, Workers = 1, Seed = (ulong)config.Train.Seed });
        using DataBatch batch = loader.Next();
        using var tape = new Tape(loaded.Device, recording: false);
        using Tensor image = loaded.Device.FromHost(batch.Images, new Shape(2, 3, batch.Size, batch.Size));
        Variable logits = loaded.Model.Forward(tape, image, tape.Constant(loaded.EmbedClasses(names)));
        double[] z = [.. logits.Value.ToArray().Select(v => (double)v)];
        var sizes = new MaskLossSizes(
            2,
            names.Length,
            logits.Shape[2],
            logits.Shape[3],
            batch.Size,
            batch.Size,
            (float)config.Loss.Focal,
            (float)config.Loss.Dice,
            (float)config.Loss.Alpha);
        int pixels = batch.Size * batch.Size;
        var labels = new byte[2 * pixels];
        pseudo = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            byte truth = batch.Labels[i];
            bool unseen = truth is 1 or 3;
            labels[i] = setting == TrainSetting.Full || !unseen ? truth : (byte)255;
            if (setting == TrainSetting.Inductive && truth == 2)
            {
                labels[i] = 1;
            }
            else if (setting == TrainSetting.Transductive && unseen)
            {
                int plane = i / pixels * 4;
                double b = MaskLossReference.Logit(sizes, z, plane + 1, i % pixels), d = MaskLossReference.Logit(sizes, z, plane + 3, i % pixels);
                labels[i] = (byte)(b >= d ? 1 : 3);
                pseudo++;
            }
        }

        return MaskLossReference.Compute(sizes, z, labels).Loss;
    }

    private static void Poison(Tensor tensor, float value)
    {
        float[] values = tensor.ToArray();
        values[values.Length / 2] = value;
        tensor.CopyFromHost<float>(values);
    }
}
