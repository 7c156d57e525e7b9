using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Lab.Pretraining;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc pretrain` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Resume">Whether a run in the folder is continued.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record PretrainOptions(string Config, string[] Sets, bool Resume, CommonOptions Common);

/// <summary>`ldvc pretrain`.</summary>
internal static class PretrainVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        Option<bool> resume = CommandParts.Resume();
        var command = new VerbCommand(
            "pretrain",
            "Trains a small CLIP on drawn scenes and captions, from nothing but this repository.",
            "ldvc pretrain configs/demo/pretrain.yaml")
        {
            config,
            sets,
            resume,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new PretrainOptions(
            OptionValue.RequiredPath(result, config),
            CommandParts.Read(result, sets),
            result.GetValue(resume),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb: 0 when the run is finished, 130 when it was interrupted (and can be resumed).</summary>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static int Run(PretrainOptions options)
    {
        CommonOptions common = options.Common;
        LdvcConfig config = ConfigLoader.Load(options.Config, common.ApplySeed(options.Sets));
        string? moved = CommandParts.SetsKey(options.Sets, "pretrain", "out") ? null : PretrainingRun.OutputOf(options.Config);
        string output = moved ?? config.Pretrain.Out ?? RunFolder.DefaultPath(options.Config);
        int threads = common.Threads > 0 ? common.Threads : Environment.ProcessorCount;
        using Device device = common.OpenDevice();
        PretrainingOutcome outcome = PretrainingRun.Run(config, output, options.Resume, device, threads, common.Monitor, common.Cancellation);
        common.WriteJson(outcome);
        return outcome.Finished ? 0 : Application.Interrupted;
    }
}
