using System.Security.Cryptography;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Synthetic;

/// <summary>`ldvc demo --write-data`: PASCAL VOC's layout, read back through kind folder.</summary>
public sealed class SceneFolderTests
{
    [Fact]
    public void WrittenDataReadsBackAsTheScenesThatAreDrawnOnDemand()
    {
        using var data = new TinyData();
        string folder = data.At("scenes"), json = data.At("r.json");
        (int code, string text, string error) = CommandLine.Run("demo", "--write-data", folder, "--pictures", "3,2", "--seed", "4", "--json", json);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("5 pictures of 58 classes, 10 of them unseen", text);
        Assert.Equal(
            ["train-00000", "train-00001", "train-00002"], File.ReadAllLines(Path.Combine(folder, "ImageSets", "Segmentation", "train.txt")));
        Assert.Equal(SceneTask.Scenes.UnseenNames, File.ReadAllLines(Path.Combine(folder, "unseen.txt")));

        LdvcConfig config = ConfigurationOf($"data.kind=folder", $"data.root={folder}");
        LdvcConfig drawn = ConfigurationOf(
            "data.kind=synthetic",
            "data.synthetic.vocabulary=scenes",
            "data.synthetic.train_count=3",
            "data.synthetic.val_count=2",
            "data.synthetic.seed=4");
        foreach (Func<LdvcConfig, SegmentationDataset> open in new Func<LdvcConfig, SegmentationDataset>[] { DrawnData.Registry.OpenTraining,
            DrawnData.Registry.OpenValidation })
        {
            SegmentationDataset files = open(config), scenes = open(drawn);
            files.CheckFiles();
            Assert.Equal(scenes.Classes.AsEnumerable(), files.Classes);
            Assert.Equal(scenes.Split.Unseen, files.Split.Unseen);
            Assert.Equal(scenes.Count, files.Count);
            for (int i = 0; i < files.Count; i++)
            {
                Assert.Equal(scenes.GetId(i), files.GetId(i));
                (RgbImage picture, LabelMap labels) = files.Read(i);
                (RgbImage exact, LabelMap truth) = scenes.Read(i);
                Assert.Equal(truth.Labels, labels.Labels);
                double error2 = picture.Pixels.Zip(exact.Pixels).Average(p => (double)(p.First - p.Second) * (p.First - p.Second));
                Assert.InRange(Math.Sqrt(error2), 0, 9);
            }
        }

        // VOC's own meaning of the stored values: the first class is 1.
        byte[] stored = LabelPng.Read(Path.Combine(folder, "SegmentationClass", "val-00001.png")).Labels;
        Assert.Equal(DrawnData.Registry.OpenValidation(drawn).ReadLabels(1).Labels.Select(l => (byte)(l + 1)), stored);
    }

    // The lists of somebody's own data were replaced by those of the drawn classes.
    [Fact]
    public void OtherDataStay()
    {
        using var data = new TinyData();
        string[] line = ["demo", "--write-data", data.At("mine"), "--pictures", "1,1"];
        void Refused(string file, string content, string expected)
        {
            data.Text(content, "mine", file);
            Assert.Contains(expected, CommandLine.Refuses(line));
            Assert.Equal(content, File.ReadAllText(data.At("mine", file)));
            Assert.False(Directory.Exists(data.At("mine", "JPEGImages")));
            File.Delete(data.At("mine", file));
        }

        Refused("classes.txt", "cat\ndog\n", $"{data.At("mine", "classes.txt")}: is there already, and is not the drawn scenes' list");
        Refused("config.yaml", "data: {}", $"{data.At("mine")}: expected an empty folder, or one with drawn scenes from before, found other files");

        // Scenes from before are replaced, whatever their number and seed, but not a split that was changed.
        Assert.Equal(0, CommandLine.Run(line).Code);
        Assert.Equal(0, CommandLine.Run([.. line, "--seed", "3"]).Code);
        data.Text("sky\n", "mine", "unseen.txt");
        Assert.Contains($"{data.At("mine", "unseen.txt")}: is there already", CommandLine.Refuses(line));
    }

    [Fact]
    public void CheckSumsHoldAndRepeat()
    {
        using var data = new TinyData();
        string[] sums = [.. new[] { "a", "b" }.Select(name =>
        {
            CommandLine.Run("demo", "--write-data", data.At(name), "--pictures", "2,1");
            return File.ReadAllText(Path.Combine(data.At(name), "SHA256SUMS"));
        })];
        Assert.Equal(sums[0], sums[1]);
        string[] lines = sums[0].TrimEnd('\n').Split('\n');
        Assert.Equal(3 + 3 + 2 + 3, lines.Length);
        foreach (string line in lines)
        {
            string[] parts = line.Split("  ");
            Assert.Equal(parts[0], Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(data.At("a"), parts[1])))));
        }
    }

    [Fact]
    public void ThePlainWorldCanBeWrittenToo()
    {
        using var data = new TinyData();
        string folder = data.At("shapes");
        var val = new SceneDataset("val", 2);
        SceneFolder.Write(folder, [val]);
        FolderDataset read = FolderDataset.Open(folder, "val");
        Assert.Equal(val.Classes, read.Classes);
        Assert.Equal(Enumerable.Range(24, 6), read.Split.Unseen);
        Assert.Equal(val.ReadLabels(1).Labels, read.ReadLabels(1).Labels);
        Assert.Contains((byte)255, read.ReadLabels(1).Labels);
    }

    [Theory]
    [InlineData("4")]
    [InlineData("0,5")]
    [InlineData("4,x")]
    [InlineData("4,5,6")]
    public void BadNumbersAreRefused(string pictures) => Assert.Contains(
        $"--pictures: expected two whole numbers from 1 to 99999, as in 4000,200, found '{pictures}'",
        CommandLine.Refuses("demo", "--write-data", "x", "--pictures", pictures));

    [Fact]
    public void SizesFollowTheVocabularyUnlessTheyAreSet()
    {
        SceneOptions Of(params string[] sets) => SceneOptions.Of(ConfigurationOf(sets).Data.Synthetic);
        Assert.Equal((128, 2, 6, 24f, 0), (Of().Size, Of().MinObjects, Of().MaxObjects, Of().MinSize, Of().MaxGrounds));
        Assert.Equal(SceneOptions.Shapes, Of());
        SceneOptions scenes = Of("data.synthetic.vocabulary=scenes");
        Assert.Equal((256, 3, 8, 40f, 3), (scenes.Size, scenes.MinObjects, scenes.MaxObjects, scenes.MinSize, scenes.MaxGrounds));
        Assert.Equal(192, Of("data.synthetic.vocabulary=scenes", "data.synthetic.size=192").Size);
        Assert.Contains(
            "data.synthetic.max_size: expected at most size = 96, found 112",
            Configuration.ConfigFiles.Refuses("", "data.synthetic.vocabulary=scenes", "data.synthetic.size=96"));
    }

    private static LdvcConfig ConfigurationOf(params string[] sets) => Configuration.ConfigFiles.Load("", sets);
}
