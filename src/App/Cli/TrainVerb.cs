using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc train` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Resume">Whether a run in the folder is continued.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record TrainOptions(string Config, string[] Sets, bool Resume, CommonOptions Common);

/// <summary>`ldvc train`.</summary>
internal static class TrainVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        Option<bool> resume = CommandParts.Resume();
        var command = new VerbCommand(
            "train",
            "Trains LDVC on a data set. The run lives in one folder (train.out); --resume continues it from its last checkpoint.",
            "ldvc train configs/voc/inductive.yaml --set clip.path=clip-vit-b16 --set data.root=VOCdevkit/VOC2012",
            VerbProcesses.Several)
        {
            config,
            sets,
            resume,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new TrainOptions(
            OptionValue.RequiredPath(result, config),
            CommandParts.Read(result, sets),
            result.GetValue(resume),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb: 0 when the run is finished, 130 when it was interrupted (and can be resumed).</summary>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static int Run(TrainOptions options)
    {
        CommonOptions common = options.Common;
        JobMember job = common.Member;
        LdvcConfig config = job.Together(() => ConfigLoader.Load(options.Config, common.ApplySeed(options.Sets)));
        string? moved = CommandParts.SetsKey(options.Sets, "train", "out") ? null : RunFolder.Around(options.Config);
        string root = moved ?? config.Train.Out ?? RunFolder.DefaultPath(options.Config);
        using Device device = common.OpenDevice();
        TrainingOutcome outcome = TrainingRun.Run(config, root, options.Resume, device, DrawnData.Registry, common.Monitor, job);
        job.OnFirst(() => common.WriteJson(outcome.ToJson()));
        return outcome.Finished ? 0 : Application.Interrupted;
    }
}
