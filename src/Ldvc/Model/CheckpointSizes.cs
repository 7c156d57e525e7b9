using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Model;

/// <summary>
/// Compares the sizes that a checkpoint's configuration states with its tensors' shapes. A model of stated sizes may take minutes and gigabytes to
/// make; one of sizes that the file's own tensors have takes no more than the file.
/// </summary>
internal static class CheckpointSizes
{
    private const string Layers = "decoder.layers.";

    /// <summary>Refuses a file whose tensors are not those of its configuration.</summary>
    /// <exception cref="InputException">Another number of layers, prompts or hidden units.</exception>
    internal static void Check(TensorArchive archive, ModelConfig config)
    {
        int layers = archive.Entries.Keys.Select(LayerOf).Where(layer => layer >= 0).Distinct().Count();
        Expect(archive, "model.decoder.layers", config.Decoder.Layers, $"tensors of {layers}", layers);
        Expect(archive, "model.prompts.vision", config.Prompts.Vision, "visual.prompt.shallow", 0, 1);
        Expect(archive, "model.prompts.text", config.Prompts.Text, "text.prompt", 1, 1);
        string hidden = $"{Layers}0.ffn.fc1.weight";
        long width = archive.Entries.TryGetValue(hidden, out TensorEntry? entry) && entry.Shape is [_, > 0 and var columns] ? columns : 1;
        Expect(archive, "model.decoder.ffn_ratio", config.Decoder.FfnRatio, hidden, 0, width);
    }

    // A size of a tensor, in units; a tensor that is not there has none.
    private static void Expect(TensorArchive archive, string key, int stated, string tensor, int dimension, long unit)
    {
        bool there = archive.Entries.TryGetValue(tensor, out TensorEntry? entry) && entry.Shape.Length > dimension;
        long found = there ? entry!.Shape[dimension] / unit : 0;
        Expect(archive, key, stated, there ? $"tensor {entry}" : $"no tensor '{tensor}'", found);
    }

    private static void Expect(TensorArchive archive, string key, long stated, string what, long found)
    {
        if (found != stated)
        {
            throw new InputException(
                $"{archive.Path}: its configuration says {key} {stated}, but it has {what}; the file is damaged or was put together from two.");
        }
    }

    private static int LayerOf(string name)
    {
        int dot = name.StartsWith(Layers, StringComparison.Ordinal) ? name.IndexOf('.', Layers.Length) : -1;
        return dot > 0 && int.TryParse(
            name.AsSpan(Layers.Length, dot - Layers.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : -1;
    }
}
