using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Xunit;

namespace Ldvc.Tests.Synthetic;

/// <summary>The benchmark's worlds: classes, grounds, pictures.</summary>
public sealed class SceneTaskTests
{
    private static readonly SceneOptions Options = SceneOptions.Of(SceneVocabulary.Scenes);

    [Theory]
    [InlineData(SceneVocabulary.Scenes, 40, 10)]
    [InlineData(SceneVocabulary.Scenes72, 48, 16)]
    public void SeenAndUnseenThingsDifferInTwoWordsAndThereAreEightKindsOfStuff(SceneVocabulary world, int seenThings, int unseen)
    {
        var task = SceneTask.Of(world);
        Assert.Equal(
            (seenThings + 8, unseen, seenThings + 8 + unseen), (task.SeenNames.Length, task.UnseenNames.Length, task.Names.Distinct().Count()));
        SceneClass[] things = task.Things;
        Assert.Equal(seenThings + unseen, things.Distinct().Count());
        for (int i = 0; i < things.Length; i++)
        {
            Assert.Equal(things[i].Name, task.Names[task.IdOf(things[i])]);
            Assert.Equal(i >= seenThings, task.IsUnseen(task.IdOf(things[i])));
            for (int j = 0; j < i; j++)
            {
                SceneClass a = things[i], b = things[j];
                int same = (a.Texture == b.Texture ? 1 : 0) + (a.Colour == b.Colour ? 1 : 0) + (a.Shape == b.Shape ? 1 : 0);
                Assert.True(same <= 1, $"{a} and {b}");
            }
        }

        foreach (Func<SceneClass, int> word in new Func<SceneClass, int>[] { c => c.Texture, c => c.Colour, c => c.Shape })
        {
            Assert.All(things.Take(seenThings).GroupBy(word), g => Assert.Equal(seenThings / 8, g.Count()));
            Assert.Equal(8, things.Take(seenThings).GroupBy(word).Count());
            Assert.All(things.Skip(seenThings).GroupBy(word), g => Assert.InRange(g.Count(), 1, 2));
        }

        for (int s = 0; s < Stuff.Names.Length; s++)
        {
            Assert.Equal(Stuff.Names[s], task.Names[task.StuffId(s)]);
            Assert.False(task.IsUnseen(task.StuffId(s)));
        }

        Assert.Equal(255, task.IdOf(Vocabulary.AllSceneClasses.First(c => !things.Contains(c))));
        Assert.Equal(512, Vocabulary.AllSceneClasses.Select(c => c.Name).Distinct().Count());
        Assert.Equal(Vocabulary.AllClasses, Vocabulary.AllSceneClasses.Take(256));
    }

    /// <summary>Pinned: a change here means another benchmark, with which older numbers cannot be compared.</summary>
    [Theory]
    [InlineData(SceneVocabulary.Scenes, "train", 0, "c7a6dce64ab9e834")]
    [InlineData(SceneVocabulary.Scenes, "val", 7, "7407fb12d3f069e5")]
    [InlineData(SceneVocabulary.Scenes72, "val", 7, "fb95887c551b2d40")]
    public void PicturesAreTheSameBytesEverywhere(SceneVocabulary world, string split, int index, string expected)
    {
        (RgbImage image, LabelMap labels) = new SceneDataset(split, 100, seed: 0, SceneOptions.Of(world)).Read(index);
        Assert.Equal(expected, CheckSum.Of(image.Pixels, labels.Labels));
    }

    [Fact]
    public void NoiseChangesPixelsByItsAmplitudeAndNoLabels()
    {
        (RgbImage Image, LabelMap Labels) Read(double? noise) => new SceneDataset(
            "val", 9, 0, SceneOptions.Of(new SyntheticConfig { Vocabulary = SceneVocabulary.Scenes72, Noise = noise })).Read(7);
        (RgbImage quiet, LabelMap labels) = Read(0);
        (RgbImage noisy, LabelMap same) = Read(40);
        Assert.Equal(labels.Labels, same.Labels);
        int[] changes = [.. quiet.Pixels.ToArray().Zip(noisy.Pixels.ToArray(), (a, b) => Math.Abs(a - b))];
        Assert.InRange(changes.Max(), 38, 41);
        Assert.InRange(changes.Average(), 10, 21);
        Assert.NotEqual(quiet.Pixels.ToArray(), Read(null).Image.Pixels.ToArray());
    }

    [Theory]
    [InlineData(SceneVocabulary.Scenes, "synthetic-scenes/train", 40, 10)]
    [InlineData(SceneVocabulary.Scenes72, "synthetic-scenes72/train", 48, 16)]
    public void EveryClassOccursAndEveryPixelHasOne(SceneVocabulary world, string name, int seenThings, int unseen)
    {
        var dataset = new SyntheticDataset(new SceneDataset("train", 120, seed: 0, SceneOptions.Of(world)));
        Assert.Equal((name, seenThings + 8 + unseen), (dataset.Name, dataset.Classes.Count));
        Assert.Equal(Enumerable.Range(seenThings + 8, unseen), dataset.Split.Unseen);
        var pictures = new int[256];
        for (int i = 0; i < dataset.Count; i++)
        {
            (RgbImage image, LabelMap labels) = dataset.Read(i);
            Assert.Equal((256, 256), (image.Width, labels.Height));
            foreach (byte label in labels.Labels.Distinct())
            {
                pictures[label]++;
            }
        }

        Assert.All(Enumerable.Range(0, seenThings), c => Assert.InRange(pictures[c], world == SceneVocabulary.Scenes ? 2 : 1, 40));
        Assert.All(Enumerable.Range(seenThings, 8), c => Assert.InRange(pictures[c], 10, 60));
        Assert.All(Enumerable.Range(seenThings + 8, unseen), c => Assert.InRange(pictures[c], world == SceneVocabulary.Scenes ? 2 : 1, 40));
        Assert.Equal(0, pictures[255]);
    }

    [Fact]
    public void ScenesHoldThreeToEightObjectsThatCoverEachOtherInPart()
    {
        int covered = 0;
        for (ulong i = 0; i < 60; i++)
        {
            Scene scene = SceneSampler.Sample(Options, 3, i);
            Assert.InRange(scene.Objects.Length, 3, 8);
            Assert.InRange(scene.Ground!.Stuff.Length, 1, 3);
            Assert.All(scene.Objects, o => Assert.InRange(o.Size, 40, 112));
            for (int a = 0; a < scene.Objects.Length; a++)
            {
                for (int b = 0; b < a; b++)
                {
                    PlacedObject p = scene.Objects[a], q = scene.Objects[b];
                    float distance = MathF.Sqrt(((p.X - q.X) * (p.X - q.X)) + ((p.Y - q.Y) * (p.Y - q.Y)));
                    covered += distance < 0.4f * (p.Size + q.Size) ? 1 : 0;
                }
            }
        }

        Assert.InRange(covered, 20, 1000);
    }

    [Fact]
    public void AWindowOfAGroundIsACropOfTheWhole()
    {
        Scene large = SceneSampler.Sample(Options, 11, 4);
        (RgbImage whole, LabelMap wholeLabels) = SceneRenderer.Render(large);
        (RgbImage part, LabelMap partLabels) = SceneRenderer.Render(large with { Width = 70, Height = 50, OriginX = 90, OriginY = 120 });
        for (int y = 0; y < 50; y++)
        {
            int from = ((y + 120) * 256) + 90;
            Assert.True(whole.Pixels.AsSpan(3 * from, 210).SequenceEqual(part.Pixels.AsSpan(3 * y * 70, 210)), $"row {y}");
            Assert.True(wholeLabels.Labels.AsSpan(from, 70).SequenceEqual(partLabels.Labels.AsSpan(y * 70, 70)), $"labels of row {y}");
        }
    }

    [Fact]
    public void TexturesShowBothColoursInTheirOwnPattern()
    {
        // Share of the surface with the second colour, and how often it changes along a row: no two textures agree in both.
        var seen = new List<(double Share, double Changes)>();
        for (int texture = 0; texture < 8; texture++)
        {
            double share = 0, changes = 0;
            for (ulong style = 0; style < 20; style++)
            {
                var surface = new SurfaceStyle(new PlacedObject(new SceneClass(texture, 0, 0), 0, 0, 60, 0, style));
                for (int y = -20; y < 20; y++)
                {
                    for (int x = -20; x < 20; x++)
                    {
                        bool here = surface.IsSecond(x + 0.25f, y + 0.25f);
                        share += here ? 1 : 0;
                        changes += here != surface.IsSecond(x + 1.25f, y + 0.25f) ? 1 : 0;
                    }
                }
            }

            seen.Add((share / 32000, changes / 32000));
        }

        Assert.Equal((0, 0), seen[0]);
        Assert.All(seen.Skip(1), s => Assert.InRange(s.Share, 0.2, 0.6));
        Assert.All(seen.Skip(1), s => Assert.InRange(s.Changes, 0.05, 0.6));
        Assert.Equal(8, seen.Select(s => (Math.Round(50 * s.Share), Math.Round(50 * s.Changes))).Distinct().Count());
    }

    [Fact]
    public void EveryMaterialHasItsOwnLook()
    {
        // Mean colours of the eight materials are apart, and none is flat.
        var means = new List<double[]>();
        for (int stuff = 0; stuff < 8; stuff++)
        {
            var ground = new Ground([stuff], [], 0, 0, 1, 0, 0, 0);
            (RgbImage image, LabelMap labels) = SceneRenderer.Render(
                new Scene(96, 96, 77, 0, BackgroundPattern.Flat, []) { Ground = ground, Task = SceneTask.Scenes });
            Assert.All(labels.Labels, l => Assert.Equal(SceneTask.Scenes.StuffId(stuff), l));
            double[] mean = [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 96 * 96).Average(i => (double)image.Pixels[(3 * i) + c]))];
            double deviation = Math.Sqrt(Enumerable.Range(0, 96 * 96).Average(i => Math.Pow(image.Pixels[(3 * i) + 1] - mean[1], 2)));
            Assert.InRange(deviation, 3, 60);
            Assert.All(means, other => Assert.True(other.Zip(mean).Sum(p => Math.Abs(p.First - p.Second)) > 25));
            means.Add(mean);
        }
    }
}
