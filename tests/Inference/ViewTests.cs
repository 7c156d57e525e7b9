using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Inference;

/// <summary>Mirrored and resized views of a picture, pictures that share batches, and the scores of all classes.</summary>
public sealed class ViewTests : IDisposable
{
    private static readonly EvalConfig Options = new() { ShortSide = 48, Window = 32, Stride = 24, Batch = 3 };
    private readonly CpuDevice _device = new(2);
    private readonly LoadedModel _loaded;
    private readonly ClassList _classes = ClassList.FromLine("cat,dog,blue sky", "test");

    public ViewTests() =>
        _loaded = LoadedModel.Create(TinyClip.Folder, new ModelConfig { Head = MaskHead.Dot, AdapterInit = AdapterInit.Identity }, _device, 1);

    public void Dispose()
    {
        _loaded.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void AMirroredPictureGetsMirroredScores()
    {
        // What both views give is the same set of windows when the windows lie evenly: 80 x 56 pixels, windows of 32, steps of 24.
        RgbImage picture = TinyData.Pattern(80, 56);
        using var segmenter = Create(Options with { ShortSide = 56, Flip = true });
        float[] scores = Scores(segmenter, picture), mirrored = Scores(segmenter, picture.Mirrored());
        for (int i = 0; i < scores.Length; i++)
        {
            int x = i % 80;
            Assert.Equal(scores[i], mirrored[i - x + 79 - x], 2e-5f);
        }

        using var plain = Create(Options with { ShortSide = 56 });
        float[] one = Scores(plain, picture), other = Scores(plain, picture.Mirrored());
        for (int i = 0; i < scores.Length; i++)
        {
            int x = i % 80;
            Assert.Equal((one[i] + other[i - x + 79 - x]) / 2, scores[i], 2e-5f);
        }
    }

    [Fact]
    public void ScalesAreAveraged()
    {
        RgbImage picture = TinyData.Pattern(70, 50);
        using var small = Create(Options with { ShortSide = 32 });
        using var large = Create(Options with { ShortSide = 64 });
        using var both = Create(Options with { ShortSide = 32, Scales = [1, 2] });
        float[] expected = [.. Scores(small, picture).Zip(Scores(large, picture), (a, b) => (a + b) / 2)];
        float[] scores = Scores(both, picture);
        for (int i = 0; i < scores.Length; i++)
        {
            Assert.Equal(expected[i], scores[i], 2e-5f);
        }

        // Labels are the largest of the scores.
        byte[] labels = both.Segment(picture).Labels.Labels;
        AssertLargest(labels, scores, 3);
    }

    [Fact]
    public void LabelsAreTheLargestOfTheScoresWithoutViewsToo()
    {
        RgbImage picture = TinyData.Pattern(90, 64);
        using var segmenter = Create(Options);
        AssertLargest(segmenter.Segment(picture).Labels.Labels, Scores(segmenter, picture), 3);
    }

    [Fact]
    public void PicturesThatShareBatchesGetTheLabelsOfOnesAlone()
    {
        RgbImage[] pictures = [TinyData.Pattern(80, 56), TinyData.Pattern(48, 48), TinyData.Pattern(20, 100), TinyData.Pattern(120, 60)];
        using var segmenter = Create(Options);
        int last = 0;
        var together = segmenter.LabelAll(
            [.. pictures.Select((p, i) => (p, $"{i}"))], null, progress: (done, all) => last = done == all ? all : last);
        for (int i = 0; i < pictures.Length; i++)
        {
            Assert.Equal(LabelMap16.From(segmenter.Segment(pictures[i]).Labels).Labels, together[i].Result.Labels.Labels);
        }

        Assert.True(last > pictures.Length);
    }

    [Fact]
    public void IgnoredClassesAreNoLabel()
    {
        RgbImage picture = TinyData.Pattern(80, 56);
        using var all = Create(Options);
        using var fewer = new Segmenter(
            _loaded.Model, _loaded.EmbedClasses(_classes.Texts), new float[3], Options, Ldvc.Imaging.ImageStatistics.Clip, _classes, ignored: 2);
        ushort[] expected = [.. all.Label(picture).Labels.Labels.Select(label => label == 0 ? (ushort)0 : LabelMap16.Unlabelled)];
        SegmentResult result = fewer.Label(picture);
        Assert.Equal(expected, result.Labels.Labels);
        Assert.Equal(["cat"], result.Classes.Select(c => c.Name));
        Assert.Equal(expected.Count(label => label != 0) / (80.0 * 56), result.Background, 12);
    }

    private Segmenter Create(EvalConfig eval) =>
        new(_loaded.Model, _loaded.EmbedClasses(_classes.Texts), new float[3], eval, Ldvc.Imaging.ImageStatistics.Clip, _classes);

    private static float[] Scores(Segmenter segmenter, RgbImage picture) => segmenter.LabelAll([(picture, "p")], null, scores: true)[0].Scores!;

    private static void AssertLargest(byte[] labels, float[] scores, int classes)
    {
        int pixels = labels.Length;
        for (int i = 0; i < pixels; i++)
        {
            float largest = Enumerable.Range(0, classes).Max(c => scores[(c * pixels) + i]);
            Assert.True(largest - scores[(labels[i] * pixels) + i] < 2e-6f);
        }
    }
}
