using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;

namespace Ldvc.Bench.Reliability;

/// <summary>
/// The small data that the drill works on: twelve pictures with masks, a configuration of a few seconds of training, the tests' CLIP and ZegCLIP
/// file.
/// </summary>
/// <param name="Root">An empty folder.</param>
/// <param name="Data">The folder of the tests' data.</param>
internal sealed record KillWork(string Root, string Data)
{
    private const int Pictures = 12;

    /// <summary>The configuration.</summary>
    internal string Config => Path.Combine(Root, "config.yaml");

    /// <summary>The tests' CLIP.</summary>
    internal string Clip => Path.Combine(Data, "clip-tiny", "hf");

    /// <summary>The folder of pictures.</summary>
    internal string Images => Path.Combine(Root, "set", "images");

    /// <summary>Writes everything.</summary>
    internal void Prepare()
    {
        var random = new CounterRandom(18, 1);
        Directory.CreateDirectory(Images);
        Directory.CreateDirectory(Path.Combine(Root, "set", "masks"));
        for (int i = 0; i < Pictures; i++)
        {
            var picture = new RgbImage(100, 75);
            var mask = new LabelMap(100, 75);
            for (int p = 0; p < mask.Labels.Length; p++)
            {
                mask.Labels[p] = (byte)((p / 25 + i) % 3);
                picture.Pixels[(3 * p) + mask.Labels[p]] = (byte)random.NextInt(256);
            }

            ImageWriter.WritePng(picture, Path.Combine(Images, $"p{i:D2}.png"));
            LabelWriter.Write(mask, Path.Combine(Root, "set", "masks", $"p{i:D2}.png"));
        }

        File.WriteAllText(Path.Combine(Root, "set", "classes.txt"), "cat\ndog\nsky\n");
        File.WriteAllText(Path.Combine(Root, "set", "unseen.txt"), "sky\n");
        File.WriteAllText(Path.Combine(Root, "set", "train.txt"), string.Concat(Enumerable.Range(0, Pictures - 2).Select(i => $"p{i:D2}\n")));
        File.WriteAllText(Path.Combine(Root, "set", "val.txt"), "p10\np11\n");
        File.WriteAllText(Config, ConfigWriter.ToYaml(new LdvcConfig
        {
            Clip = new ClipConfig { Path = Path.GetFullPath(Clip) },
            Data = new DataConfig { Kind = DataKind.Folder, Root = Path.Combine(Root, "set"), Workers = 1 },
            Augment = new AugmentConfig { Scale = [64, 40], Crop = 32 },
            Model = new ModelConfig
            {
                Prompts = new PromptConfig { Vision = 2 },
                Decoder = new DecoderConfig { Layers = 1, Heads = 4, Windows = 2, Topk = 2 }
            },
            Train = new TrainConfig { Iterations = 200, Batch = 1, Warmup = 1, CheckpointEvery = 1, Keep = 2, LogEvery = 1 },
            Eval = new EvalConfig { ShortSide = 64, Window = 64, Stride = 48 },
        }));
    }
}
