using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Verbs;

/// <summary>What `ldvc config` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ConfigOptions(string Config, string[] Sets, CommonOptions Common);

/// <summary>`ldvc config`: the resolved configuration as YAML, and as JSON with --json.</summary>
internal static class ConfigVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The configuration is not as it must be.</exception>
    public static int Run(ConfigOptions options)
    {
        LdvcConfig config = ConfigLoader.Load(options.Config, options.Common.ApplySeed(options.Sets));
        options.Common.WriteJson(ConfigWriter.ToDictionary(config));
        options.Common.Out.Write(ConfigWriter.ToYaml(config));
        return 0;
    }
}
