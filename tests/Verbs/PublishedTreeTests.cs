using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>Trees laid out like Cityscapes and ADE20K, made from drawn scenes: train and evaluate with nothing but YAML.</summary>
public sealed class PublishedTreeTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("cityscapes/full", "")]
    [InlineData("cityscapes/inductive", "data.unseen=[sidewalk, rider]")]
    [InlineData("cityscapes/train-ids", "")]
    public void Cityscapes(string name, string setting)
    {
        int[] ids = [.. ConfigLoader.Load(SmallRun.Config("cityscapes/full")).Data.Values.Select(entry => entry.Key)];
        bool trainIds = name.EndsWith("train-ids", StringComparison.Ordinal);
        foreach ((string part, string city, int index, RgbImage picture, LabelMap labels) in Scenes("train", "val"))
        {
            string frame = $"{city}_{index:D6}_000019";
            ImageWriter.WritePng(picture, _data.At("leftImg8bit", part, city, frame + "_leftImg8bit.png"));

            // Void is ID 0, and classes that are not evaluated have IDs, too.
            LabelMap stored = Map(
                labels, label => trainIds ? (byte)(label % 19) : (byte)ids[label % 19], trainIds ? (byte)255 : (byte)(index % 2 == 0 ? 0 : 4));
            LabelWriter.Write(stored, _data.At("gtFine", part, city, $"{frame}_gtFine_label{(trainIds ? "TrainIds" : "Ids")}.png"));
            ImageWriter.WritePng(picture, _data.At("gtFine", part, city, frame + "_gtFine_color.png"));
        }

        string scores = TrainAndScore(name, setting);
        Assert.Contains("\"name\": \"sidewalk\"", scores);
        LdvcConfig config = ConfigLoader.Load(SmallRun.Config(name), $"data.root={_data.Root}");
        SegmentationDataset training = DatasetRegistry.Files.OpenTraining(config);
        Assert.Equal(("aachen/aachen_000000_000019", 4, 19), (training.GetId(0), training.Count, training.Classes.Count));
        AssertLabels(training, label => (byte)(label % 19));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ade20k(bool wide)
    {
        foreach ((string part, _, int index, RgbImage picture, LabelMap labels) in Scenes("training", "validation"))
        {
            string name = $"ADE_{part[..5]}_{index:D8}";
            RealFormats.Jpeg(picture, _data.At("images", part, name + ".jpg"));
            LabelMap stored = Map(labels, label => (byte)((label * 5 % 150) + 1), 0);
            string mask = _data.At("annotations", part, name + ".png");
            if (wide)
            {
                LabelWriter.Write(LabelMap16.From(stored), mask);
            }
            else
            {
                LabelWriter.Write(stored, mask, LabelPalette.Voc);
            }
        }

        TrainAndScore("ade20k/full", "");
        LdvcConfig config = ConfigLoader.Load(SmallRun.Config("ade20k/full"), $"data.root={_data.Root}");
        SegmentationDataset training = DatasetRegistry.Files.OpenTraining(config);
        Assert.Equal(("ADE_train_00000000", 4, 150), (training.GetId(0), training.Count, training.Classes.Count));
        AssertLabels(training, label => (byte)(label * 5 % 150));
    }

    private static LabelMap Map(LabelMap labels, Func<byte, byte> stored, byte ignored) =>
        new(labels.Width, labels.Height, [.. labels.Labels.Select(label => label == LabelMap.Ignore ? ignored : stored(label))]);

    private static IEnumerable<(string Part, string City, int Index, RgbImage Picture, LabelMap Labels)> Scenes(string train, string val)
    {
        SegmentationDataset drawn = Drawn();
        for (int i = 0; i < 6; i++)
        {
            (RgbImage picture, LabelMap labels) = drawn.Read(i);
            yield return (i < 4 ? train : val, i < 2 ? "aachen" : "zurich", i, picture, labels);
        }
    }

    private static SegmentationDataset Drawn() =>
        DrawnData.Registry.OpenTraining(
            ConfigLoader.Load(SmallRun.Config("base"), "data.kind=synthetic", "data.synthetic.size=64", "data.synthetic.train_count=6"));

    private static void AssertLabels(SegmentationDataset read, Func<byte, byte> meaning)
    {
        SegmentationDataset drawn = Drawn();
        for (int i = 0; i < read.Count; i++)
        {
            Assert.Equal(drawn.ReadLabels(i).Labels.Select(label => label == LabelMap.Ignore ? label : meaning(label)), read.Read(i).Labels.Labels);
        }
    }

    private string TrainAndScore(string name, string setting)
    {
        string[] settings = [$"data.root={_data.Root}", "model.prompts.vision=2", "train.iterations=2",
            .. setting.Length > 0 ? (string[])[setting] : []];
        string run = _data.At("run"), json = _data.At("scores.json"), config = SmallRun.Config(name);
        SmallRun.Train(config, run, settings);
        (int code, _, string error) = CommandLine.Run(
            [.. SmallRun.Verb("eval", config, settings), "--checkpoint", SmallRun.Checkpoint(run, 2), "--json", json]);
        Assert.Equal((0, ""), (code, error));
        return File.ReadAllText(json);
    }
}
