using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;

namespace Ldvc.Bench.Scale;

/// <summary>A training whose speed is compared between one process and several.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">What is set over it.</param>
/// <param name="WarmUp">
/// Steps before: .NET compiles the loops again while they run, each process for itself, which takes some 15 s on two cores and is no part of a
/// training of hours.
/// </param>
/// <param name="Steps">Steps that are timed.</param>
internal sealed record ScaleCase(string Name, string Config, string[] Sets, int WarmUp, int Steps)
{
    private const string Demo = "configs/demo/train.yaml";
    private const string DemoClip = "assets/demo/clip";

    /// <summary>The demo's training with a batch that 1, 2, 3, 4 and 6 processes can share.</summary>
    internal static ScaleCase Small() => new("demo", Demo, ["train.batch=12"], 150, 150);

    /// <summary>
    /// ViT-B/16 at 224 pixels with random weights on the demo's scenes; the text tower is the demo's size, its features are computed once a step.
    /// </summary>
    /// <param name="folder">Where the CLIP is written.</param>
    internal static ScaleCase VitB16(string folder)
    {
        WriteClip(folder);
        string[] sets =
        [
            $"clip.path={folder}", "train.batch=8", "augment.crop=224", "augment.scale=[224,224]", "augment.ratio=[1,1]", "model.adapter_init=random",
            "model.decoder.windows=7", "model.decoder.topk=12", "eval.short_side=224", "eval.window=224", "eval.stride=224",
        ];
        return new("ViT-B/16, 224", Demo, sets, 10, 15);
    }

    private static void WriteClip(string folder)
    {
        var config = new ClipConfig(new TowerConfig(768, 12, 12, 3072), new TowerConfig(128, 3, 2, 512), 512, 224, 16, 32, 635);
        using var device = new CpuDevice(1);
        using var model = new ClipModel(new RandomWeights(new Initializer(device, 1)), config);
        ClipWriter.Save(model, folder, DType.Float16, PreprocessorConfig.Default(config.ImageSize), ClipTokenizer.Load(DemoClip));
        foreach (string file in new[] { "vocab.json", "merges.txt" })
        {
            File.Copy(Path.Combine(DemoClip, file), Path.Combine(folder, file), overwrite: true);
        }
    }
}
