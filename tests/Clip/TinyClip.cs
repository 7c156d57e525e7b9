using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Serialization;

namespace Ldvc.Tests.Clip;

/// <summary>The tiny CLIP of the fixtures, whole or with something changed.</summary>
internal static class TinyClip
{
    /// <summary>Hugging Face folder, fp32.</summary>
    public static readonly string Folder = TestFiles.Data("clip-tiny", "hf");

    /// <summary>OpenAI's TorchScript archive, fp16.</summary>
    public static readonly string Half = TestFiles.Data("clip-tiny", "openai-jit-fp16.pt");

    /// <summary>Sizes of <see cref="Folder"/>.</summary>
    public static readonly ClipConfig Config = new(new TowerConfig(128, 2, 2, 512), new TowerConfig(128, 2, 2, 512), 64, 96, 16, 32, 714);

    public static ClipModel Load(Device device) => ClipCheckpoint.Find(Folder).Load(device);

    /// <summary>Padded ids of texts, one row of the context's length each.</summary>
    public static int[] Ids(params string[] texts)
    {
        var tokenizer = ClipTokenizer.Load(Folder);
        return [.. texts.SelectMany(text => tokenizer.Encode(text, Config.ContextLength))];
    }

    /// <summary>A copy of the folder with other weights.</summary>
    public static string Edited(TempFolder folder, Action<EditedArchive> edit)
    {
        var archive = EditedArchive.Load(Path.Combine(Folder, "model.safetensors"));
        edit(archive);
        string target = Directory.CreateDirectory(folder.File("edited")).FullName;
        archive.Save(Path.Combine(target, "model.safetensors"));
        File.Copy(Path.Combine(Folder, "config.json"), Path.Combine(target, "config.json"));
        return target;
    }

    /// <summary>A CLIP of other sizes with random weights.</summary>
    public static string Random(TempFolder folder, ClipConfig config)
    {
        using var device = new CpuDevice(1);
        using var model = new ClipModel(new RandomWeights(new Initializer(device, 1)), config);
        string target = folder.File("random");
        ClipWriter.Save(model, target, DType.Float32, ImageStatistics.Clip.Mean, ImageStatistics.Clip.Std);
        return target;
    }
}
