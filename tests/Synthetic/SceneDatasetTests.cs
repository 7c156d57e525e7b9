using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Synthetic;
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
        var options = new SceneOptions();
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

    [Fact]
    public void WrittenFoldersReadBackTheSame()
    {
        string folder = Directory.CreateTempSubdirectory("ldvc-scenes").FullName;
        try
        {
            var train = new SceneDataset("train", 3);
            var val = new SceneDataset("val", 2);
            SceneFolder.Write(folder, train, val);
            Assert.Equal(["train-00000", "train-00001", "train-00002"], File.ReadAllLines(Path.Combine(folder, "train.txt")));
            Assert.Equal(30, File.ReadAllLines(Path.Combine(folder, "classes.txt")).Length);
            Assert.Equal(TaskClasses.UnseenNames, File.ReadAllLines(Path.Combine(folder, "unseen.txt")));
            Assert.Equal(5, Directory.GetFiles(Path.Combine(folder, "images")).Length);

            FolderDataset read = FolderDataset.Open(folder, "val");
            Assert.Equal(Enumerable.Range(24, 6), read.Split.Unseen);
            Assert.Equal(val.Classes, read.Classes);
            Assert.Equal(val.GetId(1), read.GetId(1));
            Assert.Equal(val.ReadLabels(1).Labels, read.ReadLabels(1).Labels);
            Assert.Equal(val.ReadImage(1).Pixels, ImageReader.Read(Path.Combine(folder, "images", "val-00001.png")).Pixels);
            Assert.Equal(train.ReadLabels(2).Labels, PngLabels.Read(Path.Combine(folder, "masks", "train-00002.png")).Labels);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
