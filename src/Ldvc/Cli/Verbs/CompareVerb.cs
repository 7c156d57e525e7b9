using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc compare` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Reference">The reference file.</param>
/// <param name="Tolerance">Bound of activations, logits and loss; gradients get ten times as much.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record CompareOptions(string Clip, string Reference, double Tolerance, CommonOptions Common);

/// <summary>`ldvc compare`.</summary>
internal static class CompareVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(CompareOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("compare is not available in this build.");
    }
}
