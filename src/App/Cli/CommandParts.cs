using System.CommandLine;

namespace Ldvc.App.Cli;

/// <summary>Arguments and options that several verbs share.</summary>
internal static class CommandParts
{
    /// <summary>CONFIG.</summary>
    public static Argument<string> Config() => new("CONFIG")
    {
        Description = "A YAML configuration file; docs/configuration.md lists the keys.",
    };

    /// <summary>--set a.b=v, any number of times.</summary>
    public static Option<string[]> Sets() => new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = "Overrides one value of the configuration, e.g. --set train.lr=1e-4 --set augment.ratio=[1,2].",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Whether one of the --set arguments sets a key, by itself or in its section.</summary>
    /// <param name="sets">The arguments.</param>
    /// <param name="section">The section.</param>
    /// <param name="key">The key in it.</param>
    public static bool SetsKey(string[] sets, string section, string key) => Array.Exists(sets, set =>
        set.Split('=')[0].Trim() is var name && (name == $"{section}.{key}" || (name == section && set.Contains(key, StringComparison.Ordinal))));

    /// <summary>--resume.</summary>
    public static Option<bool> Resume() => new("--resume")
    {
        Description = "Continues the run in the output folder from its last checkpoint, as if it had never stopped; starts it if there is none.",
    };

    /// <summary>--clip PATH.</summary>
    public static Option<string> Clip() => new("--clip")
    {
        HelpName = "PATH",
        Description = "A CLIP: a Hugging Face folder, or OpenAI's or open_clip's .pt or .safetensors file.",
        Required = true,
    };

    /// <summary>--activation A.</summary>
    public static Option<string> Activation() => new("--activation")
    {
        HelpName = "A",
        Description = "Which GELU the CLIP was trained with: auto (what its config.json or open_clip_config.json says) | quick-gelu (OpenAI's) | "
            + "gelu.",
        DefaultValueFactory = _ => "auto",
    };

    /// <summary>--template T, any number of times.</summary>
    public static Option<string[]> Template(string description) => new("--template")
    {
        HelpName = "T",
        Description = description,
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>--threads N.</summary>
    public static Option<string> Threads(int preset) => new("--threads")
    {
        HelpName = "N",
        Description = "CPU threads; 0 = one per core.",
        DefaultValueFactory = _ => $"{preset}",
    };

    /// <summary>--json FILE.</summary>
    public static Option<string?> Json() => new("--json")
    {
        HelpName = "FILE",
        Description = "Also writes the results to FILE as JSON.",
    };

    /// <summary>--record NAME.</summary>
    public static Option<string?> Record() => new("--record")
    {
        HelpName = "NAME",
        Description = "Also keeps the results in the ledger: results/NAME.json in the repository, or else in this folder, with command, "
            + "configuration, "
            + "commit and machine. An entry of this name is replaced.",
    };

    /// <summary>--precision P.</summary>
    public static Option<string> Precision() => new("--precision")
    {
        HelpName = "P",
        Description = "Precision of matrix products and attention: fp32 | tf32 | bf16 | fp16; all but fp32 need --device cuda (sm_80 or newer) or "
            + "simulator.",
        DefaultValueFactory = _ => "fp32",
    };

    /// <summary>--checkpoint F.</summary>
    public static Option<string> Checkpoint() => new("--checkpoint")
    {
        HelpName = "F",
        Description = "A checkpoint that `ldvc train` wrote (.safetensors).",
        Required = true,
    };

    /// <summary>--checkpoint F, of a verb that can do without.</summary>
    public static Option<string?> Checkpoint(string otherwise) => new("--checkpoint")
    {
        HelpName = "F",
        Description = $"A checkpoint that `ldvc train` wrote, or the folder of its run (.safetensors); without one, {otherwise}.",
    };

    /// <summary>--out.</summary>
    public static Option<string> Out(string helpName, string description) => new("--out")
    {
        HelpName = helpName,
        Description = description,
        Required = true,
    };

    /// <summary>The values of --set.</summary>
    public static string[] Read(ParseResult result, Option<string[]> sets) => result.GetValue(sets) ?? [];
}
