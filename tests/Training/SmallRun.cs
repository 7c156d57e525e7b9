using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Configuration;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>Command lines of runs that take a fraction of a second: the tiny CLIP, pictures of 64 pixels, a few steps.</summary>
internal static class SmallRun
{
    /// <summary>What makes any published configuration small.</summary>
    public static readonly string[] Settings =
    [
        $"clip.path={TinyClip.Folder}", "augment.scale=[128,80]", "augment.crop=64", "train.iterations=4", "train.batch=2", "train.warmup=1",
        "train.log_every=1", "data.workers=1", "eval.short_side=64", "eval.window=64", "eval.stride=48",
    ];

    /// <summary>One of the repository's configurations, e.g. "voc/inductive".</summary>
    public static string Config(string name) => Path.Combine(ConfigFiles.Repository, "configs", name + ".yaml");

    /// <summary>A configuration of a user's own folder, written beside it.</summary>
    public static string OwnConfig(TinyData data)
    {
        data.Text($"base: {Config("base")}\ndata: {{kind: folder, root: {RealFormats.Folder(data)}}}\n", "mine.yaml");
        return data.At("mine.yaml");
    }

    /// <summary>
    /// The arguments of `ldvc train` with <see cref="Settings"/> and more settings; what does not contain '=' is passed on as it is.
    /// </summary>
    public static string[] Arguments(string config, string output, params string[] more) =>
        [.. Verb("train", config, [$"train.out={output}", .. more.Where(IsSetting)]), .. more.Where(m => !IsSetting(m))];

    /// <summary>A verb that takes a configuration, with <see cref="Settings"/> and more settings.</summary>
    public static string[] Verb(string verb, string config, params string[] settings) =>
        [verb, config, .. ((string[])[.. Settings, .. settings]).SelectMany(setting => new[] { "--set", setting }), "--threads", "1"];

    /// <summary>Trains to the end and returns what was printed.</summary>
    public static string Train(string config, string output, params string[] more)
    {
        (int code, string text, string error) = CommandLine.Run(Arguments(config, output, more));
        Assert.Equal((0, ""), (code, error));
        return text;
    }

    /// <summary>The checkpoint of a step.</summary>
    public static string Checkpoint(string output, int step) => Path.Combine(output, "checkpoints", $"ckpt-{step:D8}.safetensors");

    private static bool IsSetting(string argument) => argument.Contains('=', StringComparison.Ordinal);
}
