using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc train` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record TrainOptions(string Config, string[] Sets, CommonOptions Common);

/// <summary>`ldvc train`.</summary>
internal static class TrainVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(TrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("train is not available in this build.");
    }
}
