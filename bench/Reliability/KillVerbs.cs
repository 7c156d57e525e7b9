using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Model;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;

namespace Ldvc.Bench.Reliability;

/// <summary>What is run and killed, and what must be true of its files at any moment and at the end.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Arguments">Its command line, writing into a folder.</param>
/// <param name="Ends">Whether it ends by itself.</param>
/// <param name="Check">Looks at the folder after a kill; what is wrong, or null.</param>
/// <param name="Same">Whether two finished folders hold the same.</param>
internal sealed record KillVerb(
    string Verb, Func<string, string[]> Arguments, bool Ends, Func<string, string?> Check, Func<string, string, bool> Same);

/// <summary>The six verbs that write files.</summary>
internal static class KillVerbs
{
    /// <summary>The verbs over prepared data.</summary>
    /// <param name="work">The data.</param>
    /// <param name="checkpoint">A finished checkpoint, for serve.</param>
    internal static IReadOnlyList<KillVerb> All(KillWork work, string checkpoint)
    {
        string zegclip = Path.Combine(work.Data, "zegclip-mini");
        return
        [
            new(
                "train",
                folder => ["train", work.Config, "--resume", "--set", $"train.out={folder}", "--threads", "1"],
                true,
                CheckRun,
                SameCheckpoints),
            new(
                "segment",
                folder => ["segment", work.Images, "--clip", work.Clip, "--classes", "cat, dog, sky", "--out", folder, "--save",
                    "overlay,masks,probabilities", "--size", "64", "--window", "64", "--stride", "48", "--skip-existing", "--threads", "1"],
                true, CheckPictures, SameFiles),
            new(
                "import",
                folder => ["import", Path.Combine(zegclip, "zegclip-mini.pth"), "--clip", Path.Combine(zegclip, "ViT-tiny.pt"),
                    "--embeddings", Path.Combine(zegclip, "class_embeddings.npy"), "--out",
                    Path.Combine(folder, "imported.safetensors"), "--json", Path.Combine(folder, "import.json"), "--threads", "1"],
                true, CheckFiles, SameCheckpoints),
            new(
                "check",
                folder => ["check", work.Config, "--json", Path.Combine(folder, "check.json"), "--threads", "1"],
                true,
                CheckFiles,
                (a, b) => SameFiles(a, b) && File.ReadAllText(Path.Combine(a, "check.json")) == File.ReadAllText(Path.Combine(b, "check.json"))),
            new(
                "ablate",
                folder => ["ablate", work.Config, "--rows", "language-driven,route", "--seeds", "1", "--out", folder, "--set", "train.iterations=40",
                    "--set", "ablate.pictures=0", "--threads", "1"],
                true, CheckFiles, SameCheckpoints),
            new("serve", folder => ["serve", "--checkpoint", checkpoint, "--clip", work.Clip, "--port", "0", "--json",
                Path.Combine(folder, "serve.json"), "--threads", "1"], false, CheckFiles, (_, _) => true),
        ];
    }

    /// <summary>A run's checkpoints are whole, and every finished line of its log is one.</summary>
    private static string? CheckRun(string folder)
    {
        if (CheckFiles(folder) is { } fault)
        {
            return fault;
        }

        string log = Path.Combine(folder, "metrics.jsonl");
        string text = File.Exists(log) ? File.ReadAllText(log) : "";
        return text.Split('\n')[..^1].FirstOrDefault(line => !IsJson(line)) is { } torn ? $"{log}: {torn}" : null;
    }

    // NAME.json last: where it is, all files of the picture are.
    private static string? CheckPictures(string folder) => CheckFiles(folder)
        ?? Directory.GetFiles(folder, "*.json").FirstOrDefault(
            json => !File.Exists(Path.ChangeExtension(json, ".png")) || !File.Exists(Path.ChangeExtension(json, ".overlay.png")));

    // Every file that has its name is whole.
    private static string? CheckFiles(string folder)
    {
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(file => !Path.GetFileName(file).StartsWith('.')))
        {
            try
            {
                switch (Path.GetExtension(file))
                {
                    case ".safetensors":
                        using (TensorArchive archive = TensorArchive.Open(file))
                        {
                            archive.Verify();
                        }

                        break;
                    case ".png":
                        ImageReader.Read(file);
                        break;
                    case ".json" when !IsJson(File.ReadAllText(file)):
                        return file;
                    case ".html" when !File.ReadAllText(file).TrimEnd().EndsWith("</html>", StringComparison.Ordinal):
                        return file;
                }
            }
            catch (Tensors.InputException e)
            {
                return e.Message;
            }
        }

        return null;
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonDocument.Parse(text).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool SameFiles(string a, string b)
    {
        string[] Names(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file)).Where(name => !Path.GetFileName(name).StartsWith('.')).Order(StringComparer.Ordinal)];
        return Names(a).SequenceEqual(Names(b))
            && Names(a).Where(name => Path.GetExtension(name) != ".json").All(
                name => File.ReadAllBytes(Path.Combine(a, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(b, name))));
    }

    // The folder of a run stands in its configuration, so tensors are compared, not bytes.
    private static bool SameCheckpoints(string a, string b)
    {
        string[] Names(string folder) => [.. Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file)).Where(name => !Path.GetFileName(name).StartsWith('.')).Order(StringComparer.Ordinal)];
        return Names(a).Length > 0 && Names(a).SequenceEqual(Names(b)) && Names(a).All(
            name => Tensors(Path.Combine(a, name)).SequenceEqual(Tensors(Path.Combine(b, name))));
    }

    private static IEnumerable<float> Tensors(string file)
    {
        using TensorArchive archive = TensorArchive.Open(file);
        return [.. archive.Entries.Keys.Order(StringComparer.Ordinal).SelectMany(name => archive.ReadFloat32(name))];
    }
}
