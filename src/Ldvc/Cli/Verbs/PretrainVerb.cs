using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc pretrain` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record PretrainOptions(string Config, string[] Sets, CommonOptions Common);

/// <summary>`ldvc pretrain`.</summary>
internal static class PretrainVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(PretrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("pretrain is not available in this build.");
    }
}
