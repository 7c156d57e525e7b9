using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Inference;

/// <summary>The files of segmented pictures below a folder. Each appears whole or not at all, NAME.json last: where it is, the picture is done.</summary>
/// <param name="folder">The folder.</param>
/// <param name="parts">What is written besides labels and numbers.</param>
internal sealed class SegmentFiles(string folder, SegmentParts parts)
{
    /// <summary>The files that a picture's results are in, for finding clashes; those of masks by their folder.</summary>
    internal IEnumerable<string> Of(string name)
    {
        yield return At(name, ".png");
        yield return At(name, ".json");
        foreach (var (part, ending) in ((SegmentParts, string)[])
            [(SegmentParts.Overlay, ".overlay.png"), (SegmentParts.Plain, ".plain.png"), (SegmentParts.Masks, ".masks"), (SegmentParts.Probabilities, ".probabilities.safetensors")])
        {
            if (parts.HasFlag(part))
            {
                yield return At(name, ending);
            }
        }
    }

    /// <summary>Whether a picture's results with these classes are there.</summary>
    internal bool Exist(string name, IReadOnlyList<string> classes)
    {
        if (Of(name).Any(path => !File.Exists(path) && !Directory.Exists(path)))
        {
            return false;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(At(name, ".json")));
            return json.RootElement.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("name").GetString()).SequenceEqual(classes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
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
        Imaging.AtomicFile.WriteAllBytes(At(name, ".png"), result.EncodeLabels());
        if (parts.HasFlag(SegmentParts.Overlay))
        {
            Imaging.AtomicFile.WriteAllBytes(At(name, ".overlay.png"), result.EncodeOverlay());
        }

        if (parts.HasFlag(SegmentParts.Plain))
        {
            Imaging.AtomicFile.WriteAllBytes(At(name, ".plain.png"), result.EncodePlain());
        }

        if (parts.HasFlag(SegmentParts.Masks))
        {
            WriteMasks(result, At(name, ".masks"));
        }

        if (parts.HasFlag(SegmentParts.Probabilities))
        {
            WriteScores(result, At(name, ".probabilities.safetensors"), scores!);
        }

        Tensors.Serialization.AtomicFile.WriteText(At(name, ".json"), JsonText.Of(result.ToJson()));
    }

    // Masks of an earlier run with other classes do not stay among the new ones.
    private static void WriteMasks(SegmentResult result, string folder)
    {
        OutputFolder.Create(folder);
        string[] files = [.. result.Classes.Select(c => Path.Combine(folder, $"{c.Index:D3}-{Plain(c.Name)}.png"))];
        foreach (string old in Directory.EnumerateFiles(folder, "*.png").Where(path => !files.Contains(path, StringComparer.Ordinal)))
        {
            File.Delete(old);
        }

        foreach (var share in result.Classes)
        {
            if (share.Pixels > 0)
            {
                Imaging.AtomicFile.WriteAllBytes(files[share.Index], result.EncodeMask(share.Index));
            }
            else
            {
                File.Delete(files[share.Index]);
            }
        }
    }

    private static void WriteScores(SegmentResult result, string path, float[] scores)
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("probabilities", [scores.Length / (result.Width * result.Height), result.Height, result.Width], scores, DType.Float16);
        writer.SetMetadata("classes", JsonSerializer.Serialize(result.Classes.Select(c => c.Name)));
        writer.Save(path);
    }

    // A class name as a part of a file's name on any system.
    private static string Plain(string name) => string.Concat(name.Take(40).Select(c => char.IsLetterOrDigit(c) ? c : '_'));

    private string At(string name, string ending) => Path.Combine(folder, name + ending);
}
