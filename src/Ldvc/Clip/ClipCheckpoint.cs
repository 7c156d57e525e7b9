using System.Security.Cryptography;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// A CLIP checkpoint on disk in any of the forms of method.md 12: a Hugging Face folder, or a single .safetensors, .bin, .pt or .pth file with
/// OpenAI's or Hugging Face's names, TorchScript archives included, or the list of the files that one was cut into.
/// </summary>
internal sealed class ClipCheckpoint
{
    private const string TokenTable = "text_model.embeddings.token_embedding.weight";

    private static readonly string[] FileNames =
    [
        "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
        "pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
    ];

    private ClipCheckpoint(string weights, string folder)
    {
        WeightsPath = weights;
        Folder = folder;
    }

    /// <summary>The file that holds the tensors, or lists those that do.</summary>
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
    /// <param name="device">Where it is to live.</param>
    /// <param name="activation">Which GELU it has, as the user says; null = what the files say.</param>
    /// <param name="digest">Whether <see cref="ClipModel.Digest"/> is wanted.</param>
    /// <param name="otherwise">Which GELU it has where neither the user nor the files tell.</param>
    /// <param name="towers">Whose weights are read; of the others names and shapes are checked. A digest is one of all.</param>
    /// <exception cref="InputException">The files are damaged, disagree, hold NaN or infinity, or do not tell the activation.</exception>
    internal ClipModel Load(
        Device device, Activation? activation = null, bool digest = false, Activation? otherwise = null, ClipTowers towers = ClipTowers.Both)
    {
        using var archive = TensorArchive.Open(WeightsPath);
        bool huggingFace = archive.Entries.ContainsKey(TokenTable);
        ClipSettings settings = Settings(archive, huggingFace).Told(activation, WeightsPath).Otherwise(
            otherwise ?? ActivationNames.OfName(WeightsPath));
        ClipConfig config = huggingFace ? ClipConfigReader.FromHuggingFace(archive, settings) : ClipConfigReader.FromOpenAi(archive, settings);
        var weights = new ArchiveWeights(archive, device, huggingFace);
        var model = new ClipModel(weights, config);
        try
        {
            ClipDigest? hash = digest ? new ClipDigest() : null;
            weights.Fill(hash, towers);
            model.Keep(towers);
            model.Digest = hash?.Hex();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Mean and standard deviation of this CLIP's pictures: its preprocessor_config.json's, else its open_clip_config.json's, else OpenAI's.
    /// </summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    internal ImageStatistics Statistics() =>
        PreprocessorConfigReader.Statistics(Folder) ?? OpenClipConfig.Statistics(
            System.IO.Path.Combine(Folder, OpenClipConfig.FileName)) ?? ImageStatistics.Clip;

    /// <summary>
    /// SHA-256 of the weights' file (of several, one after the other, the list first), by which checkpoints named their CLIP before 0.2.0.
    /// </summary>
    /// <exception cref="InputException">A file cannot be read.</exception>
    internal string Sha256()
    {
        string[] files = WeightsPath.EndsWith(ShardedArchive.Suffix, StringComparison.Ordinal)
            ? [WeightsPath, .. ShardedArchive.Files(WeightsPath)]
            : [WeightsPath];
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 20];
            foreach (string file in files)
            {
                using FileStream stream = PlainFile.Open(file);
                for (int got = stream.Read(buffer); got > 0; got = stream.Read(buffer))
                {
                    hash.AppendData(buffer, 0, got);
                }
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (IOException e)
        {
            throw new InputException($"{WeightsPath}: cannot be read ({e.Message})", e);
        }
    }

    // A TorchScript archive says itself what it is; a configuration in the same folder may be that of another file.
    private ClipSettings Settings(TensorArchive archive, bool huggingFace)
    {
        string config = System.IO.Path.Combine(Folder, "config.json"), openClip = System.IO.Path.Combine(Folder, OpenClipConfig.FileName);
        if (huggingFace)
        {
            return File.Exists(config) ? HuggingFaceConfig.Read(config) : ClipSettings.Without(null);
        }

        bool script = ActivationNames.ScriptClasses(archive) is not null;
        return !script && File.Exists(openClip) ? OpenClipConfig.Read(openClip) : ClipSettings.Without(ActivationNames.OfScript(archive));
    }
}
