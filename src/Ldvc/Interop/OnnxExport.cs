using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ldvc.Autograd;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Interop;

/// <summary>
/// A trained model as an ONNX file: image [N, 3, H, W], already normalised, and class embeddings [C, E] of unit length to mask logits [N, C, h, w]. H
/// and W are fixed, N and C are free. Beside it classes.safetensors, the embeddings of some names with all that a caller needs to use them, and a
/// Python example.
/// </summary>
internal static partial class OnnxExport
{
    /// <summary>The file of embeddings.</summary>
    internal const string ClassesName = "classes.safetensors";

    /// <summary>The example.</summary>
    internal const string ExampleName = "example.py";

    private const int LargestSide = 8192;

    // How every example begins.
    private const string ExampleStart = "\"\"\"Labels a picture with an exported model";

    /// <summary>Refuses a size that the model cannot take.</summary>
    /// <exception cref="InputException">A side is no multiple of the patch, or out of range.</exception>
    internal static void CheckSize(Clip.ClipConfig clip, int height, int width)
    {
        foreach (int side in new[] { height, width })
        {
            if (side < clip.PatchSize || side > LargestSide || side % clip.PatchSize != 0)
            {
                throw new InputException(
                    $"--size: {height}x{width}, expected multiples of this CLIP's patch of {clip.PatchSize}, at most {LargestSide}.");
            }
        }
    }

    /// <summary>Writes the model for pictures of one size.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model.</param>
    /// <param name="config">Section model of its configuration.</param>
    /// <param name="height">H, a multiple of the patch.</param>
    /// <param name="width">W.</param>
    /// <param name="largest">Bytes beyond which weights go to a second file; null = what one ONNX file can hold.</param>
    /// <param name="beside">Adds files that belong to the model and get their names together with it.</param>
    /// <returns>The files that were written.</returns>
    /// <exception cref="InputException">A file cannot be written.</exception>
    internal static IReadOnlyList<string> Write(
        string path, LdvcModel model, ModelConfig config, int height, int width, long? largest = null, Action<AtomicFiles>? beside = null)
    {
        Clip.ClipConfig clip = model.Clip.Config;
        CheckSize(clip, height, width);
        int rows = height / clip.PatchSize, columns = width / clip.PatchSize;
        var weights = new Dictionary<string, Parameter>(StringComparer.Ordinal);
        foreach (var (name, parameter) in model.Clip.Parameters().Concat(model.Parameters()))
        {
            weights.Add(name, parameter);
        }

        var graph = new OnnxGraph();
        var parts = new OnnxParts(graph, weights);
        string image = graph.Input("image", false, "N", 3, height, width);
        string classes = graph.Input("classes", false, "C", clip.Embedding);
        var (token, patches) = new OnnxVision(parts, clip, config.ClsTwice, rows, columns).Encode(image);
        string logits = new OnnxDecoder(parts, config, clip.Embedding, rows, columns).Forward(token, patches, classes);
        graph.NamedOutput(logits, "logits", "N", "C", rows, columns);
        return largest is { } bytes ? graph.Save(path, "ldvc", bytes, beside) : graph.Save(path, "ldvc", beside: beside);
    }

    /// <summary>Refuses to replace files of the names written beside a model that were not written here. Nothing has been computed yet.</summary>
    /// <param name="folder">Where the model goes.</param>
    /// <exception cref="InputException">There is one.</exception>
    internal static void RefuseForeign(string folder)
    {
        string example = Path.Combine(folder, ExampleName), classes = Path.Combine(folder, ClassesName);
        string? foreign = File.Exists(example) && ModelOf(example) is null ? example : File.Exists(classes) && !AreClasses(classes) ? classes : null;
        if (foreign is not null)
        {
            throw new InputException($"{foreign}: is there already, and is not one that `ldvc export` wrote; expected another folder.");
        }
    }

    /// <summary>Refuses to replace the embeddings of another model in the same folder, unless they are the same.</summary>
    /// <param name="folder">Where the model goes.</param>
    /// <param name="model">Its name.</param>
    /// <param name="classes">The file of embeddings.</param>
    /// <exception cref="InputException">They would be replaced.</exception>
    internal static void RefuseOthers(string folder, string model, SafetensorsWriter classes)
    {
        string example = Path.Combine(folder, ExampleName), path = Path.Combine(folder, ClassesName);
        string? other = File.Exists(example) && File.Exists(path) ? ModelOf(example) : null;
        if (other is null || other == model || !File.Exists(Path.Combine(folder, other)))
        {
            return;
        }

        using var content = new MemoryStream();
        classes.Write(content);
        if (new FileInfo(path).Length != content.Length || !PlainFile.ReadAll(path, content.Length).AsSpan().SequenceEqual(content.ToArray()))
        {
            throw new InputException(
                $"{path}: holds the classes of {other} in the same folder, and other ones than this export; expected another folder.");
        }
    }

    /// <summary>The embeddings of names, what belongs to them, and how pictures are normalised, as a file.</summary>
    /// <param name="embeddings">[T, E], one row for each name and synonym.</param>
    /// <param name="classes">The names.</param>
    /// <param name="penalties">Subtracted from the probability of each row [T].</param>
    /// <param name="statistics">Mean and standard deviation of pictures.</param>
    internal static SafetensorsWriter Classes(Tensor embeddings, ClassList classes, float[] penalties, Imaging.ImageStatistics statistics)
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("classes", [embeddings.Shape[0], embeddings.Shape[1]], embeddings.ToArray());
        writer.AddFloat32("penalty", [penalties.Length], penalties);
        writer.AddInt32("owner", [classes.Owners.Length], classes.Owners);
        writer.SetMetadata("texts", JsonSerializer.Serialize(classes.Texts, JsonText.Plain));
        writer.SetMetadata("names", JsonSerializer.Serialize(classes.ToArray(), JsonText.Plain));
        writer.SetMetadata("image_mean", JsonSerializer.Serialize(statistics.Mean, JsonText.Plain));
        writer.SetMetadata("image_std", JsonSerializer.Serialize(statistics.Std, JsonText.Plain));
        return writer;
    }

    /// <summary>The Python example, for a model of that name beside it.</summary>
    internal static string Example(string model)
    {
        using Stream stream = typeof(OnnxExport).Assembly.GetManifestResourceStream("Ldvc.Interop.example.py")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Replace(
            "MODEL.onnx",
            model.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal),
            StringComparison.Ordinal);
    }

    // The model that an example is for; null when it is not one of these, whichever version wrote it.
    private static string? ModelOf(string example)
    {
        string text = Encoding.UTF8.GetString(PlainFile.ReadAll(example, 1 << 20));
        return !text.StartsWith(ExampleStart, StringComparison.Ordinal) ? null
            : ExampleModel().Match(text) is { Success: true } match ? match.Groups[1].Value.Replace("\\\"", "\"").Replace("\\\\", "\\")
            : "";
    }

    private static bool AreClasses(string path)
    {
        try
        {
            using TensorArchive archive = TensorArchive.Open(path);
            return archive.Entries.ContainsKey("owner") && archive.Metadata.ContainsKey("texts");
        }
        catch (InputException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"here / ""((?:[^""\\]|\\.)*)""\)\)", RegexOptions.CultureInvariant)]
    private static partial Regex ExampleModel();
}
