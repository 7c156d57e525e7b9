using System.Security.Cryptography;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// A CLIP checkpoint on disk in any of the forms of method.md 12: a Hugging Face folder, or a single .safetensors, .bin, .pt or .pth file with
/// OpenAI's or Hugging Face's names, TorchScript archives included.
/// </summary>
internal sealed class ClipCheckpoint
{
    private static readonly string[] FileNames = ["model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin"];

    private ClipCheckpoint(string weights, string folder)
    {
        WeightsPath = weights;
        Folder = folder;
    }

    /// <summary>The file that holds the tensors.</summary>
    internal string WeightsPath { get; }

    /// <summary>The folder with the tokenizer's files.</summary>
    internal string Folder { get; }

    /// <summary>Finds the weights of a path: a folder or a file.</summary>
    internal static ClipCheckpoint Find(string path)
    {
        if (File.Exists(path))
        {
            return new ClipCheckpoint(path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        }

        if (!Directory.Exists(path))
        {
            throw new InputException($"{path}: no such file or folder; expected a CLIP checkpoint");
        }

        foreach (string name in FileNames)
        {
            string file = System.IO.Path.Combine(path, name);
            if (File.Exists(file))
            {
                return new ClipCheckpoint(file, path);
            }
        }

        throw new InputException($"{path}: no CLIP weights in this folder; expected one of {string.Join(", ", FileNames)}");
    }

    /// <summary>Loads the frozen model.</summary>
    internal ClipModel Load(Device device)
    {
        using var archive = TensorArchive.Open(WeightsPath);
        bool huggingFace = archive.Entries.ContainsKey("text_model.embeddings.token_embedding.weight");
        string config = System.IO.Path.Combine(Folder, "config.json"), openClip = System.IO.Path.Combine(Folder, "open_clip_config.json");
        bool own = System.IO.Path.GetFileName(WeightsPath).StartsWith("open_clip", StringComparison.Ordinal) && File.Exists(openClip);
        var sizes = huggingFace ? ClipConfigReader.FromHuggingFace(archive, File.Exists(config) ? config : null) : ClipConfigReader.FromOpenAi(archive, own ? openClip : null);
        return new ClipModel(new ArchiveWeights(archive, device, huggingFace), sizes);
    }

    /// <summary>SHA-256 of the weights file, by which an LDVC checkpoint names the CLIP it belongs to.</summary>
    /// <exception cref="InputException">The file cannot be read.</exception>
    internal string Sha256()
    {
        try
        {
            using var stream = File.OpenRead(WeightsPath);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{WeightsPath}: cannot be read ({e.Message})", e);
        }
    }
}
