using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>Which GELU a CLIP was trained with. No tensor's shape says it, and the wrong one gives wrong features without any other sign.</summary>
internal static class ActivationNames
{
    /// <summary>quick-gelu or gelu, as options are written.</summary>
    internal static string Of(Activation activation) => activation == Activation.Gelu ? "gelu" : "quick-gelu";

    /// <summary>One of the two.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is another activation, or none.</exception>
    internal static Activation Checked(Activation activation) => activation is Activation.QuickGelu or Activation.Gelu
        ? activation
        : throw new ArgumentOutOfRangeException(
            nameof(activation), $"CLIP: expected {Activation.QuickGelu} or {Activation.Gelu} as its activation, got {activation}");

    /// <summary>
    /// What a TorchScript archive says: it names its classes. OpenAI's are of this form, and nobody else hands CLIPs around in it. Null for other
    /// files.
    /// </summary>
    internal static Activation? OfScript(TensorArchive archive) => ScriptClasses(archive)?.Split(',') is not { } classes
        ? null
        : classes.Contains("GELU") && !classes.Contains("QuickGELU") ? Activation.Gelu : Activation.QuickGelu;

    /// <summary>
    /// What the names of weights and folder tell, where nothing better does: those of open_clip's pretrained models have "quickgelu", "openai",
    /// "laion2b" or "datacomp" in them. Null when they do not, or contradict each other.
    /// </summary>
    internal static Activation? OfName(string weights)
    {
        string full = Path.GetFullPath(weights);
        string name = $"{Path.GetFileName(Path.GetDirectoryName(full))}/{Path.GetFileName(full)}".ToLowerInvariant();
        bool quick = Has(name, "quickgelu", "quick-gelu", "quick_gelu", "openai"), exact = Has(name, "laion2b", "datacomp");
        return quick == exact ? null : quick ? Activation.QuickGelu : Activation.Gelu;
    }

    /// <summary>The names of a TorchScript archive's classes; null when it is something else.</summary>
    internal static string? ScriptClasses(TensorArchive archive) =>
        archive is TorchArchive ? archive.Metadata.GetValueOrDefault(TorchArchive.ScriptClasses) : null;

    /// <summary>The question that is asked when nothing tells.</summary>
    internal static InputException Unknown(string weights) => new(
        $"{weights}: nothing says whether this CLIP was trained with QuickGELU (OpenAI's) or GELU (LAION's, DataComp's and most of open_clip's); "
        + "say it with --activation quick-gelu or gelu (clip.activation in a configuration), or put its config.json or open_clip_config.json beside "
            + "it.");

    private static bool Has(string name, params string[] words) => words.Any(word => name.Contains(word, StringComparison.Ordinal));
}
