using System.Text;
using Ldvc.Configuration;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Synthetic;

/// <summary>Captions of the benchmark's world, and that the demo's have not changed.</summary>
public sealed class SceneCaptionTests
{
    private static readonly PretrainConfig Pretraining = new()
    {
        Vision = new VisionTowerConfig { Image = 32, Width = 64, Layers = 1 },
        Text = new TextTowerConfig { Width = 64, Layers = 1 },
        Captions = new CaptionConfig { Vocabulary = SceneVocabulary.Scenes },
        Embed = 32,
        Batch = 8,
    };

    private static readonly CaptionOptions Scenes = new(new CaptionConfig { Vocabulary = SceneVocabulary.Scenes }, 96);

    /// <summary>Pinned: the CLIP that ships with the demo was trained on these.</summary>
    [Fact]
    public void TheDemosCaptionsAndPicturesHaveNotChanged()
    {
        var pictures = new byte[32 * 3 * 64 * 64];
        var captions = new string[32];
        CaptionSampler.SampleBatch(9, 3, 32, pictures, captions);
        Assert.Equal("08ca39e8cef58802", CheckSum.Of(pictures, Encoding.UTF8.GetBytes(string.Join('\n', captions))));
    }

    [Fact]
    public void CaptionsNameTheStuffThatCanBeSeen()
    {
        int withStuff = 0, alone = 0;
        for (int step = 0; step < 4; step++)
        {
            CaptionSample[] samples = CaptionSampler.SampleScenes(2, step, 256, Scenes with { Shares = Scenes.Shares with { Hard = 0.3 } });
            Assert.Equal(256, samples.Select(s => s.Key).Distinct().Count());
            foreach (CaptionSample sample in samples)
            {
                string[] words = sample.Caption.Split(' ');
                string[] named = [.. words.Where(w => Stuff.Names.Contains(w)).Distinct()];
                string[] there = [.. sample.Scene.Ground!.Stuff.Select(s => Stuff.Names[s])];
                Assert.True(named.Length == 0 || named.Order().SequenceEqual(there.Order()), $"{sample.Caption}: {string.Join(", ", there)}");
                withStuff += named.Length > 0 ? 1 : 0;
                alone += sample.Scene.Objects.Length == 0 ? 1 : 0;
                Assert.DoesNotContain("background", words);
            }
        }

        Assert.InRange(withStuff, 300, 800);
        Assert.InRange(alone, 20, 150);
    }

    [Fact]
    public void NamedStuffIsInThePictureEvenOfACrop()
    {
        foreach (CaptionSample sample in CaptionSampler.SampleScenes(
            5, 0, 192, Scenes with { Shares = Scenes.Shares with { Crop = 1, Hard = 0, Partial = 0 } }))
        {
            byte[] labels = SceneRenderer.Render(sample.Scene).Labels.Labels;
            foreach (int stuff in sample.Scene.Ground!.Stuff.Where(s => sample.Caption.Split(' ').Contains(Stuff.Names[s])))
            {
                Assert.Contains(SceneTask.Scenes.StuffId(stuff), labels);
            }
        }
    }

    [Fact]
    public void HardNegativesUseAllEightTextures()
    {
        CaptionSample[] samples = CaptionSampler.SampleScenes(7, 0, 256, Scenes with { Shares = Scenes.Shares with { Hard = 1 } });
        Assert.Equal(8, samples.SelectMany(s => s.Scene.Objects).Select(o => o.Class.Texture).Distinct().Count());
    }

    // A run that starts at the lowest temperature is free to leave it, and none goes below.
    [Fact]
    public void TheTemperatureStaysFreeAtItsLimit()
    {
        PretrainConfig config = Pretraining with { Temperature = 0.12, LeastTemperature = 0.12, Lr = 1e-2, Warmup = 1 };
        using var device = new CpuDevice(1);
        using var trainer = new Pretrainer(config, device, 1);
        CaptionBatches batches = trainer.CreateBatches();
        var scales = new HashSet<float>();
        for (int i = 0; i < 4; i++)
        {
            trainer.RunStep(batches);
            float scale = trainer.Model.LogitScale.Value.ToScalar();
            Assert.True(MathF.Exp(scale) <= (float)(1 / 0.12));
            scales.Add(scale);
        }

        Assert.True(scales.Count > 1);
    }

    [Fact]
    public void PretrainingLearnsTheWordsAndTakesAStep()
    {
        using var device = new CpuDevice(1);
        using var trainer = new Pretrainer(Pretraining, device, 1);
        foreach (string word in new[] { "zigzag", "speckled", "brick", "water", "star" })
        {
            // Start, one token, end.
            Assert.Equal(3, trainer.Tokenizer.EncodeUnpadded(word).Length);
        }

        Assert.True(float.IsFinite(trainer.RunStep(trainer.CreateBatches())));
        Assert.Equal(50, ZeroShotProbe.Task(1, 32, vocabulary: SceneVocabulary.Scenes).ClassNames.Length);
        Assert.Equal(512, ZeroShotProbe.All(1, 32, vocabulary: SceneVocabulary.Scenes).ClassNames.Length);
    }
}
