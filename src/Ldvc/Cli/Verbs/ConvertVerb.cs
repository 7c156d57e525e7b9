using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc convert` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Out">The folder to write.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ConvertOptions(string Clip, string Out, CommonOptions Common);

/// <summary>`ldvc convert`.</summary>
internal static class ConvertVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(ConvertOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("convert is not available in this build.");
    }
}
