using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
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

    // Long and narrow pictures have no bound but this one where the short side is exact; those beside them are labelled.
    [Fact]
    public void OneOfABatchMayBeTooLong()
    {
        using var data = new TinyData();
        PictureSource[] pictures = [.. new[] { "a", "b", "c" }.Select(name => new PictureSource(data.At(name + ".png"), name))];
        ImageWriter.WritePng(TinyData.Pattern(40, 30), pictures[0].Path);
        ImageWriter.WritePng(TinyData.Pattern(1, 40_000), pictures[1].Path);
        ImageWriter.WritePng(TinyData.Pattern(30, 40), pictures[2].Path);
        var outcomes = new List<SegmentOutcome>();
        foreach (bool scores in new[] { false, true })
        {
            using var segmenter = Create(Options with { ExactShortSide = true });
            new SegmentPipeline
            {
                Segmenter = segmenter,
                Files = new SegmentFiles(data.At("out"), scores ? SegmentParts.Probabilities : SegmentParts.None),
                Scores = scores,
                Together = 8,
            }.Run(pictures, outcomes.Add, TestContext.Current.CancellationToken);
        }

        Assert.Equal(["a", "b", "c", "a", "b", "c"], outcomes.Select(o => o.Source.Name));
        Assert.All(outcomes, o => Assert.Equal(o.Source.Name == "b", o.Result is null));
        Assert.All(outcomes.Where(o => o.Failure is not null), o => Assert.StartsWith(
            $"{pictures[1].Path}: a picture of 1x40000 pixels is too long and narrow for a short side of exactly 48", o.Failure!.Message));
    }

    [Fact]
    public void APictureThatNoArrayHoldsIsRefused()
    {
        using var segmenter = Create(Options with { ShortSide = 8192, Scales = [8] });
        Assert.Contains(
            "20x10 pixels become 131072x65536 when they are resized",
            Assert.Throws<InputException>(() => segmenter.Label(TinyData.Pattern(20, 10))).Message);
    }

    [Fact]
    public void MoreScoresThanThereIsRoomForAreRefusedBeforeTheWork()
    {
        using var segmenter = new Segmenter(
            _loaded.Model, _device.Zeros(new Shape(60_000, 64)), new float[60_000], Options, Ldvc.Imaging.ImageStatistics.Clip);
        RgbImage picture = TinyData.Pattern(200, 100);
        Assert.Equal(1_200_000_000, segmenter.ScoresOf(picture));
        Assert.Contains(
            "200x100 pixels and 60000 classes have 1200000000 probabilities, expected at most 1073741824",
            Assert.Throws<InputException>(() => segmenter.LabelAll([(picture, "p")], null, scores: true)).Message);
    }

    // Of 260 names 200 are classes: labels are bytes, as they are without the other 60.
    [Theory]
    [InlineData(200, false)]
    [InlineData(256, true)]
    public void IgnoredNamesDoNotWidenLabels(int classes, bool wide)
    {
        const int names = 260;
        float[] embeddings = [.. Enumerable.Range(0, names * 64).Select(i => MathF.Sin(i * (1 + (i / 64))) / 6)];
        var list = new ClassList(Enumerable.Range(0, names).Select(i => $"thing {i}"), "test");
        using var segmenter = new Segmenter(
            _loaded.Model,
            _device.FromHost(embeddings, new Shape(names, 64)),
            new float[names],
            Options,
            Ldvc.Imaging.ImageStatistics.Clip,
            list,
            ignored: names - classes);
        RgbImage picture = TinyData.Pattern(40, 30);
        SegmentResult result = segmenter.Label(picture, "p");
        LabelMap all = segmenter.Segment(picture).Labels;
        Assert.Equal(wide ? 65535 : 255, result.Unlabelled);
        Assert.Equal(classes, result.Classes.Length);
        Assert.Equal(all.WideLabels.Select(label => label < classes ? label : (ushort)65535), result.Labels.Labels);
        Assert.Contains(result.Labels.Labels, label => label < classes);
    }

    [Fact]
    public async Task RoomIsWaitedFor()
    {
        var room = new Room(10);
        using var stop = new CancellationTokenSource();
        room.Take(30, stop.Token);
        Task second = Task.Run(() => room.Take(4, stop.Token), TestContext.Current.CancellationToken);
        await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        room.Give(30);
        await second;
        room.Take(6, stop.Token);
        Task third = Task.Run(() => room.Take(1, stop.Token), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
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
