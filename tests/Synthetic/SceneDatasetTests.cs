using Ldvc.Lab.Synthetic;
using Xunit;

namespace Ldvc.Tests.Synthetic;

public class SceneDatasetTests
{
    [Fact]
    public void AllThirtyClassesOccurAboutEquallyAndNothingElse()
    {
        var dataset = new SceneDataset("train", 400, seed: 0);
        int[] pictures = new int[256];
        for (int i = 0; i < dataset.Count; i++)
        {
            foreach (byte label in dataset.ReadLabels(i).Labels.Distinct())
            {
                pictures[label]++;
            }
        }

        Assert.All(Enumerable.Range(0, 30), c => Assert.InRange(pictures[c], 25, 95));
        Assert.All(Enumerable.Range(30, 225), c => Assert.Equal(0, pictures[c]));
        Assert.Equal(400, pictures[255]);
    }

    [Fact]
    public void SplitsSeedsAndScenesDiffer()
    {
        byte[] a = new SceneDataset("train", 10, 0).ReadImage(1).Pixels;
        Assert.Equal(a, new SceneDataset("train", 20, 0).ReadImage(1).Pixels);
        Assert.NotEqual(a, new SceneDataset("train", 10, 0).ReadImage(2).Pixels);
        Assert.NotEqual(a, new SceneDataset("val", 10, 0).ReadImage(1).Pixels);
        Assert.NotEqual(a, new SceneDataset("train", 10, 1).ReadImage(1).Pixels);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SceneDataset("train", 10).ReadImage(10));
        Assert.Throws<ArgumentException>(() => new SceneDataset("test", 10));
    }

    [Fact]
    public void ObjectsKeepTheirSizesAndDistances()
    {
        var options = SceneOptions.Shapes;
        for (ulong i = 0; i < 200; i++)
        {
            Scene scene = SceneSampler.Sample(options, 5, i);
            Assert.InRange(scene.Objects.Length, 1, options.MaxObjects);
            for (int a = 0; a < scene.Objects.Length; a++)
            {
                Assert.InRange(scene.Objects[a].Size, options.MinSize, options.MaxSize);
                for (int b = 0; b < a; b++)
                {
                    float dx = scene.Objects[a].X - scene.Objects[b].X, dy = scene.Objects[a].Y - scene.Objects[b].Y;
                    float least = 0.5f * (scene.Objects[a].Size + scene.Objects[b].Size) * (1 - options.MaxOverlap);
                    Assert.True(MathF.Sqrt((dx * dx) + (dy * dy)) >= least - 1e-3f);
                }
            }
        }
    }
}
