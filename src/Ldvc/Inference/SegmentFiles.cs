using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Inference;

/// <summary>
/// The files of segmented pictures below a folder. Each appears whole or not at all, NAME.json last: where it is, the picture is done.
/// </summary>
/// <param name="folder">The folder.</param>
/// <param name="parts">What is written besides labels and numbers.</param>
/// <param name="settings">
/// Digest of what the results depend on besides the picture (<see cref="SegmentSettings"/>), kept in NAME.json with the length of the picture's file;
/// null = neither is kept.
/// </param>
internal sealed class SegmentFiles(string folder, SegmentParts parts, string? settings = null)
{
    private const string SettingsKey = "settings";
    private const string BytesKey = "bytes";
    private const int MaskDigits = 3;

    /// <summary>The files that a picture's results are in, for finding clashes; those of masks by their folder.</summary>
    internal IEnumerable<string> Of(string name)
    {
        yield return At(name, ".png");
        yield return At(name, ".json");
        foreach (var (part, ending) in ((SegmentParts, string)[])
            [(SegmentParts.Overlay, ".overlay.png"), (SegmentParts.Plain, ".plain.png"), (SegmentParts.Masks, ".masks"),
                (SegmentParts.Probabilities, ".probabilities.safetensors")])
        {
            if (parts.HasFlag(part))
            {
                yield return At(name, ending);
            }
        }
    }

    /// <summary>The file of all pictures' masks.</summary>
    internal string Coco => Path.Combine(folder, CocoAnnotations.FileName);

    /// <summary>
    /// A file in the place of a picture's labels or numbers that is no result: an annotation, or a mask that somebody drew or corrected. Null when
    /// there is none.
    /// </summary>
    /// <exception cref="InputException">A file cannot be read.</exception>
    internal string? Foreign(string name)
    {
        string labels = At(name, ".png"), numbers = At(name, ".json");
        bool? known = File.Exists(numbers) ? Recognize(numbers) : true;
        return known is null ? numbers
            : known == true && File.Exists(labels) && !PngTexts.Has(labels, PngNames.Keyword) ? labels
            : null;
    }

    /// <summary>What NAME.json says, as it stands in a list of all results.</summary>
    internal object Numbers(PictureSource picture)
    {
        try
        {
            return JsonText.Read(At(picture.Name, ".json"), json =>
            {
                JsonObject numbers = JsonObject.Create(json.Clone())!;
                numbers.Remove(SettingsKey);
                numbers.Remove(BytesKey);
                return numbers;
            });
        }
        catch (InputException e)
        {
            return new { Image = picture.Path, Error = e.Message };
        }
    }

    /// <summary>
    /// Whether a picture's results are there: true with these settings, false with others or of an earlier picture of that name, null when they are
    /// not whole.
    /// </summary>
    internal bool? Exist(PictureSource picture)
    {
        string name = picture.Name;
        if (Of(name).Any(path => !File.Exists(path) && !Directory.Exists(path)))
        {
            return null;
        }

        try
        {
            return JsonText.Read(At(name, ".json"), IsOfThese) && !IsOfEarlier(picture.Path, At(name, ".json"));
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>Writes a picture's files.</summary>
    /// <param name="result">The labels.</param>
    /// <param name="name">Below the folder, without an extension.</param>
    /// <param name="scores">[C, H, W], for the probabilities.</param>
    /// <exception cref="InputException">A file cannot be written.</exception>
    internal void Write(SegmentResult result, string name, float[]? scores)
    {
        OutputFolder.Create(Path.GetDirectoryName(At(name, ".png"))!);
        using var files = new AtomicFiles();
        void Add(string ending, byte[] content) => files.Add(At(name, ending), stream => stream.Write(content));
        Add(".png", result.EncodeLabels());
        if (parts.HasFlag(SegmentParts.Overlay))
        {
            Add(".overlay.png", result.EncodeOverlay());
        }

        if (parts.HasFlag(SegmentParts.Plain))
        {
            Add(".plain.png", result.EncodePlain());
        }

        string[] masks = parts.HasFlag(SegmentParts.Masks) ? AddMasks(files, result, At(name, ".masks")) : [];
        if (parts.HasFlag(SegmentParts.Probabilities))
        {
            files.Add(At(name, ".probabilities.safetensors"), Scores(result, scores!).Write);
        }

        JsonObject numbers = JsonSerializer.SerializeToNode(result.ToJson(), JsonText.Format)!.AsObject();
        if (settings is not null)
        {
            numbers[SettingsKey] = settings;
            if (Bytes(result.Image) is { } bytes)
            {
                numbers[BytesKey] = bytes;
            }
        }

        Add(".json", Encoding.UTF8.GetBytes(JsonText.Of(numbers)));

        // Everything is on the disk. While names change, no earlier NAME.json says that the picture is done.
        bool stale = settings is not null && IsOfOthers(result.Image, At(name, ".json"));
        OutputFile.Delete(At(name, ".json"));
        if (stale)
        {
            RemoveStale(name);
        }

        if (parts.HasFlag(SegmentParts.Masks))
        {
            RemoveOthers(At(name, ".masks"), masks);
        }

        files.Commit();
    }

    // Whether a file of numbers says its settings: those of versions before 0.2.0 do not, and their labels have no names in them. Null when it is no
    // result.
    private static bool? Recognize(string path)
    {
        try
        {
            string[] keys = ["image", "width", "height", "classes", "background"];
            return JsonText.Read(
                path, json => keys.All(key => json.TryGetProperty(key, out _)) ? json.TryGetProperty(SettingsKey, out _) : (bool?)null);
        }
        catch (InputException)
        {
            return null;
        }
    }

    // Whether numbers are ours, and of another picture, another model or other names, windows or thresholds than those of now.
    private bool IsOfOthers(string picture, string numbers) => File.Exists(numbers) && Recognize(numbers) is { } says
        && (!says || !JsonText.Read(numbers, IsOfThese) || IsOfEarlier(picture, numbers));

    private bool IsOfThese(JsonElement numbers) =>
        numbers.TryGetProperty(SettingsKey, out JsonElement digest) && digest.ValueKind == JsonValueKind.String && digest.ValueEquals(settings);

    // Whether the picture was replaced since. Copies keep their old time as a rule, and are of another length then.
    private static bool IsOfEarlier(string picture, string numbers) => Bytes(picture) is { } bytes
        && (File.GetLastWriteTimeUtc(picture) > File.GetLastWriteTimeUtc(numbers)
            || JsonText.Read(numbers, json => json.TryGetProperty(BytesKey, out JsonElement known)
                && (known.ValueKind != JsonValueKind.Number || !known.TryGetInt64(out long before) || before != bytes)));

    private static long? Bytes(string picture)
    {
        var file = new FileInfo(picture);
        return file.Exists ? file.Length : null;
    }

    // An overlay, masks or probabilities of other labels do not stay beside the new ones.
    private void RemoveStale(string name)
    {
        foreach (var (part, ending) in ((SegmentParts, string)[])
            [(SegmentParts.Overlay, ".overlay.png"), (SegmentParts.Plain, ".plain.png"), (SegmentParts.Probabilities, ".probabilities.safetensors")])
        {
            if (!parts.HasFlag(part))
            {
                OutputFile.Delete(At(name, ending));
            }
        }

        string masks = At(name, ".masks");
        if (!parts.HasFlag(SegmentParts.Masks) && Directory.Exists(masks))
        {
            RemoveOthers(masks, []);
            RemoveEmpty(masks);
        }
    }

    private static void RemoveEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody keeps something there.
        }
    }

    private static string[] AddMasks(AtomicFiles files, SegmentResult result, string folder)
    {
        OutputFolder.Create(folder);
        var written = new List<string>();
        foreach (var share in result.Classes.Where(share => share.Pixels > 0))
        {
            written.Add(Path.Combine(folder, $"{share.Index.ToString($"D{MaskDigits}", CultureInfo.InvariantCulture)}-{Plain(share.Name)}.png"));
            files.Add(written[^1], stream => stream.Write(result.EncodeMask(share.Index)));
        }

        return [.. written];
    }

    // Masks of an earlier run with other classes do not stay among the new ones. What has another name is somebody's own.
    private static void RemoveOthers(string folder, string[] masks)
    {
        foreach (string old in Directory.EnumerateFiles(folder, "*.png")
            .Where(path => IsMask(Path.GetFileNameWithoutExtension(path)) && !masks.Contains(path, StringComparer.Ordinal)))
        {
            OutputFile.Delete(old);
        }
    }

    // As names of masks are made: 000-cat.
    private static bool IsMask(string name) => name.IndexOf('-', StringComparison.Ordinal) is var dash && dash >= MaskDigits
        && name.AsSpan(0, dash).IndexOfAnyExceptInRange('0', '9') < 0 && name[(dash + 1)..] == Plain(name[(dash + 1)..]);

    private static SafetensorsWriter Scores(SegmentResult result, float[] scores)
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("probabilities", [scores.Length / (result.Width * result.Height), result.Height, result.Width], scores, DType.Float16);
        writer.SetMetadata("classes", JsonSerializer.Serialize(result.Classes.Select(c => c.Name), JsonText.Plain));
        return writer;
    }

    // A class name as a part of a file's name on any system.
    private static string Plain(string name) => string.Concat(name.Take(40).Select(c => char.IsLetterOrDigit(c) ? c : '_'));

    private string At(string name, string ending) => Path.Combine(folder, name + ending);
}
