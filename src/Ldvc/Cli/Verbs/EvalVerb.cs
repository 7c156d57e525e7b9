using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc eval` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Checkpoint">An LDVC checkpoint.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record EvalOptions(string Config, string Checkpoint, string[] Sets, CommonOptions Common);

/// <summary>`ldvc eval`.</summary>
internal static class EvalVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(EvalOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("eval is not available in this build.");
    }
}
