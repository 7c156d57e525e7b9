using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc segment` is told.</summary>
/// <param name="Images">Image files.</param>
/// <param name="Checkpoint">An LDVC checkpoint.</param>
/// <param name="Classes">Class names; their order gives the indices.</param>
/// <param name="Background">Pixels whose best probability lies below this become background (255); null = none do.</param>
/// <param name="Clip">Folder or file of the CLIP the checkpoint was trained on; null = where the checkpoint says it lies.</param>
/// <param name="Out">Folder of the results.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record SegmentOptions(
    string[] Images,
    string Checkpoint,
    string[] Classes,
    double? Background,
    string? Clip,
    string Out,
    CommonOptions Common);

/// <summary>`ldvc segment`.</summary>
internal static class SegmentVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(SegmentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("segment is not available in this build.");
    }
}
