using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// The CLIP in a checkpoint whose names all begin with something more: "module." of data-parallel training, "model." of Lightning's modules, "clip."
/// of a model around it.
/// </summary>
internal static class ClipPart
{
    private static readonly string[] s_first = ["visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"];

    /// <summary>Opens the archive of a CLIP; its names begin as they should.</summary>
    /// <exception cref="InputException">The file is damaged or none of tensors, or there are several CLIPs in it.</exception>
    internal static TensorArchive Open(string path)
    {
        TensorArchive archive = TensorArchive.Open(path);
        try
        {
            string[] prefixes = [.. archive.Entries.Keys.Select(Prefix).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
            return prefixes.Length switch
            {
                _ when prefixes.Contains("") => archive,
                0 => archive,
                1 => PartArchive.Of(archive, prefixes[0]),
                _ => throw new InputException(
                    $"{path}: expected one CLIP, found {prefixes.Length}: their tensors begin with '{string.Join("' and '", prefixes)}'."),
            };
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    private static string? Prefix(string name)
    {
        string? first = Array.Find(s_first, end => name.EndsWith(end, StringComparison.Ordinal));
        string prefix = first is null ? "" : name[..^first.Length];
        return first is null || (prefix.Length > 0 && prefix[^1] != '.') ? null : prefix;
    }
}
