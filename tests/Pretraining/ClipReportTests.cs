using Ldvc.App.Cli;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Pretraining;

/// <summary>What `ldvc pretrain` reports about a CLIP.</summary>
public sealed class ClipReportTests
{
    [Fact]
    public void RetrievalCountsWhoComesBeforeThePartner()
    {
        // Picture 0 finds its text first; picture 1's is second; picture 2's ties with another one and comes after it.
        double[,] similarity =
        {
            { 0.9, 0.1, 0.2 },
            { 0.8, 0.7, 0.1 },
            { 0.1, 0.3, 0.3 },
        };
        RetrievalScore score = RetrievalScore.FromSimilarities(3, (i, t) => similarity[i, t]);
        Assert.Equal(1 / 3.0, score.ImageToText1, 12);
        Assert.Equal(1, score.ImageToText5);
        Assert.Equal(1, score.TextToImage1, 12);
        Assert.Equal(1, score.TextToImage5);
    }

    [Fact]
    public void RetrievalAtFiveLeavesOutTheSixth()
    {
        // Every text is as near to every picture as its own: five come before the own one.
        RetrievalScore score = RetrievalScore.FromSimilarities(6, (_, _) => 1);
        Assert.Equal(0, score.ImageToText5);
        Assert.Equal(1, RetrievalScore.FromSimilarities(5, (_, _) => 1).TextToImage5);
    }

    [Theory]
    [InlineData(64, SceneVocabulary.Shapes, 30)]
    [InlineData(96, SceneVocabulary.Scenes, 50)]
    [InlineData(96, SceneVocabulary.Scenes72, 64)]
    public void AWindowShowsTheObjectItIsNamedAfter(int size, SceneVocabulary world, int things)
    {
        var probe = new CropProbe(60, size, SceneOptions.Of(world));
        Assert.Equal(60, probe.Count);
        Assert.Equal(things, probe.Prompts.Count);
        var pixels = new byte[3 * size * size];
        var seen = new HashSet<int>();
        for (int i = 0; i < probe.Count; i++)
        {
            probe.Render(i, pixels);
            Assert.True(pixels.Distinct().Count() > 20);
            Assert.InRange(probe.LabelOf(i), 0, probe.Prompts.Count - 1);
            seen.Add(probe.LabelOf(i));
        }

        Assert.True(seen.Count > 20);
        Assert.Equal(probe.LabelOf(3), new CropProbe(10, size, SceneOptions.Of(world)).LabelOf(3));
    }

    [Fact]
    public void WindowsThatNoObjectFitsIntoAreRefused()
    {
        var large = SceneOptions.Of(new SyntheticConfig { Vocabulary = SceneVocabulary.Scenes, Size = 512, MinSize = 300, MaxSize = 400 });
        Assert.Contains(
            "expected one in 50 to show most of an object", Assert.Throws<InputException>(() => new CropProbe(2, 48, large)).Message);
        SceneOptions own = SceneOptions.Of(SceneVocabulary.Scenes);
        Assert.NotEqual(Labels(0), Labels(1));

        int[] Labels(ulong seed)
        {
            var probe = new CropProbe(12, 96, own, seed);
            return [.. Enumerable.Range(0, 12).Select(probe.LabelOf)];
        }
    }

    [Fact]
    public void StuffPicturesShowTheirMaterialAlone()
    {
        var probe = new StuffProbe(16, 32);
        var first = new byte[3 * 32 * 32];
        var again = new byte[first.Length];
        var other = new byte[first.Length];
        probe.Render(2, first);
        probe.Render(2, again);
        probe.Render(3, other);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal("a photo of " + Stuff.Names[2], probe.Prompts[probe.LabelOf(10)]);
    }

    [Fact]
    public void TheDemosClipFindsPairsAndNamesObjectsOfScenes()
    {
        string folder = Path.Combine(DemoAssets.Find()!, DemoAssets.Clip);
        using var device = new CpuDevice(1);
        using var model = ClipCheckpoint.Find(folder).Load(device);
        var clip = new ProbeEmbedder(model, device, ClipTokenizer.Load(folder));
        RetrievalScore retrieval = RetrievalScore.Measure(clip, CaptionOptions.Default, 0, 100);
        Assert.InRange(retrieval.ImageToText1, 0.7, 1);
        Assert.InRange(retrieval.TextToImage1, 0.7, 1);
        Assert.InRange(ZeroShotAccuracy.Measure(clip, new CropProbe(90, clip.Size, SceneOptions.Shapes)), 0.6, 1);
    }

    /// <summary>The CLIP of the comparison: 50 things, stuff, and captions half of which differ in one attribute.</summary>
    [Fact]
    public void TheBenchmarksClipNamesThingsAndStuff()
    {
        string folder = Path.Combine(Configuration.ConfigFiles.Repository, "assets", "evidence", "clip");
        using var device = new CpuDevice(1);
        using var model = ClipCheckpoint.Find(folder).Load(device);
        var clip = new ProbeEmbedder(model, device, ClipTokenizer.Load(folder));
        Assert.InRange(ZeroShotAccuracy.Measure(clip, ZeroShotProbe.Task(100, clip.Size, vocabulary: SceneVocabulary.Scenes)), 0.85, 1);
        Assert.InRange(ZeroShotAccuracy.Measure(clip, new CropProbe(100, clip.Size, SceneOptions.Of(SceneVocabulary.Scenes))), 0.8, 1);
        Assert.InRange(PatchAccuracy.Measure(clip, new CropProbe(40, clip.Size, SceneOptions.Of(SceneVocabulary.Scenes))), 0.8, 1);
        Assert.InRange(ZeroShotAccuracy.Measure(clip, new StuffProbe(16, clip.Size)), 0.9, 1);

        // Noise is one of two ways to make patches hard to name; configs/evidence/hard.yaml takes the other, a CLIP that learned less.
        var noisy = SceneOptions.Of(new SyntheticConfig { Vocabulary = SceneVocabulary.Scenes72, Noise = 120 });
        Assert.InRange(PatchAccuracy.Measure(clip, new CropProbe(40, clip.Size, noisy)), 0.35, 0.65);
    }
}
