using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc embed` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Images">Image files, in order.</param>
/// <param name="Texts">Texts, in order.</param>
/// <param name="Out">The safetensors file to write.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record EmbedOptions(string Clip, string[] Images, string[] Texts, string Out, CommonOptions Common);

/// <summary>`ldvc embed`.</summary>
internal static class EmbedVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(EmbedOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("embed is not available in this build.");
    }
}
