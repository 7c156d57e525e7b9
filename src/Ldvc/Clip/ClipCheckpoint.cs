using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Ldvc.Clip.Tokenization;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// A CLIP checkpoint on disk in any of the forms of method.md 12: a Hugging Face folder, or a single .safetensors, .bin, .pt or .pth file with
/// OpenAI's or Hugging Face's names, TorchScript archives included, or the list of the files that one was cut into.
/// </summary>
internal sealed partial class ClipCheckpoint
{
    private const string TokenTable = "text_model.embeddings.token_embedding.weight";
    private const string OpenAiTokenTable = "token_embedding.weight";

    private static readonly string[] FileNames =
    [
        "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
        "pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
    ];

    private const int LargestBeside = 1 << 25;

    private static readonly string[] s_beside =
    [
        HuggingFaceConfig.FileName, OpenClipConfig.FileName, PreprocessorConfigReader.FileName, PreprocessorConfigReader.WholeFileName,
        VocabularyFiles.Vocabulary, VocabularyFiles.Merges, VocabularyFiles.AddedTokens, VocabularyFiles.Tokenizer, VocabularyFiles.OpenAi,
    ];

    private ClipCheckpoint(string weights, string folder)
    {
        WeightsPath = weights;
        Folder = folder;
    }

    /// <summary>The file that holds the tensors, or lists those that do.</summary>
    internal string WeightsPath { get; }

    /// <summary>That file and those it lists.</summary>
    /// <exception cref="InputException">It is no such list.</exception>
    internal string[] Files => WeightsPath.EndsWith(ShardedArchive.Suffix, StringComparison.Ordinal)
        ? [WeightsPath, .. ShardedArchive.Files(WeightsPath)]
        : [WeightsPath];

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
            // Owner/name is how Hugging Face's hub calls a model; nothing is downloaded here.
            string hint = HubName().IsMatch(path) ? $" (`hf download {path} --local-dir FOLDER` fetches a model of Hugging Face's hub)" : "";
            throw new InputException($"{path}: no such file or folder; expected a CLIP checkpoint{hint}");
        }

        return InFolder(path) ?? (Snapshot(path) is { } snapshot ? InFolder(snapshot) : null)
            ?? throw new InputException(Snapshots(path) is { Length: > 1 } several && Snapshot(path) is null
                ? $"{path}: {several.Length} snapshots, and no refs/main that names one of them; expected one, such as {several[0]}"
                : $"{path}: no CLIP weights in this folder; expected one of {string.Join(", ", FileNames)}");
    }

    // Beside open_clip's weights, timm's folders have model.safetensors with the vision tower alone, under names of its own.
    private static ClipCheckpoint? InFolder(string folder)
    {
        string[] files = [.. FileNames.Select(name => System.IO.Path.Combine(folder, name)).Where(File.Exists)];
        string? file = files.Length > 1 ? files.FirstOrDefault(HasTexts) ?? files[0] : files.FirstOrDefault();
        return file is null ? null : new ClipCheckpoint(file, folder);
    }

    private static bool HasTexts(string file)
    {
        try
        {
            using TensorArchive archive = ClipPart.Open(file);
            return archive.Entries.ContainsKey(TokenTable) || archive.Entries.ContainsKey(OpenAiTokenTable);
        }
        catch (InputException)
        {
            // Said of the file that is taken.
            return false;
        }
    }

    /// <summary>Whether a file of this name, in a CLIP's folder, is one that is read.</summary>
    internal static bool IsPart(string name) => FileNames.Contains(name) || s_beside.Contains(name);

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
        using TensorArchive archive = ClipPart.Open(WeightsPath);
        bool huggingFace = archive.Entries.ContainsKey(TokenTable);
        ClipSettings settings = Settings(archive, huggingFace).Told(activation, WeightsPath).Otherwise(
            otherwise ?? ActivationNames.OfName(WeightsPath));
        ClipConfig config = huggingFace ? ClipConfigReader.FromHuggingFace(archive, settings) : ClipConfigReader.FromOpenAi(archive, settings);
        var weights = new ArchiveWeights(archive, device, huggingFace);
        var model = new ClipModel(weights, config) { EndOfText = settings.EndOfText };
        try
        {
            weights.RefuseOthers();
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
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 20];
            foreach (string file in Files)
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

    /// <summary>
    /// SHA-256 of the small files beside the weights that decide what is computed with them: configurations, preprocessing, vocabulary.
    /// </summary>
    /// <exception cref="InputException">A file cannot be read, or is too large for what it is called.</exception>
    internal string BesideSha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string name in s_beside)
        {
            string file = System.IO.Path.Combine(Folder, name);
            if (File.Exists(file))
            {
                hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name + "\n"));
                hash.AppendData(SHA256.HashData(PlainFile.ReadAll(file, LargestBeside)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // In the cache of Hugging Face's tools (models--OWNER--NAME) a model's files lie in snapshots/COMMIT, and refs/main names the newest.
    private static string? Snapshot(string folder)
    {
        string main = System.IO.Path.Combine(folder, "refs", "main");
        try
        {
            string[] all = Snapshots(folder);
            string newest = all.Length > 1 && File.Exists(main) ? System.Text.Encoding.UTF8.GetString(PlainFile.ReadAll(main, 256)).Trim() : "";
            return all.Length == 1 ? all[0] : Array.Find(all, commit => System.IO.Path.GetFileName(commit) == newest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string[] Snapshots(string folder)
    {
        string snapshots = System.IO.Path.Combine(folder, "snapshots");
        try
        {
            return Directory.Exists(snapshots) ? [.. Directory.GetDirectories(snapshots).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", RegexOptions.NonBacktracking)]
    private static partial Regex HubName();

    // A TorchScript archive says itself what it is; a configuration in the same folder may be that of another file. Weights of either naming come
    // with either configuration: their own counts where both are there.
    private ClipSettings Settings(TensorArchive archive, bool huggingFace)
    {
        string config = System.IO.Path.Combine(Folder, HuggingFaceConfig.FileName);
        string openClip = System.IO.Path.Combine(Folder, OpenClipConfig.FileName);
        if (!huggingFace && ActivationNames.ScriptClasses(archive) is not null)
        {
            return ClipSettings.Without(ActivationNames.OfScript(archive));
        }

        bool readsOwn = File.Exists(huggingFace ? config : openClip), readsConfig = readsOwn ? huggingFace : !huggingFace;
        return !File.Exists(readsConfig ? config : openClip) ? ClipSettings.Without(null)
            : readsConfig ? HuggingFaceConfig.Read(config)
            : OpenClipConfig.Read(openClip);
    }
}
