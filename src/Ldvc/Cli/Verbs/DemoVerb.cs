using Ldvc.Tensors;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc demo` is told.</summary>
/// <param name="Out">Folder of the report.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record DemoOptions(string Out, CommonOptions Common);

/// <summary>`ldvc demo`.</summary>
internal static class DemoVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input.</exception>
    public static int Run(DemoOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        throw new InputException("demo is not available in this build.");
    }
}
