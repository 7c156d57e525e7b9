using Ldvc.Configuration;
using Ldvc.Lab.Pretraining;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli.Verbs;

/// <summary>What `ldvc pretrain` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Resume">Whether a run in the folder is continued.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record PretrainOptions(string Config, string[] Sets, bool Resume, CommonOptions Common);

/// <summary>`ldvc pretrain`.</summary>
internal static class PretrainVerb
{
    /// <summary>Runs the verb: 0 when the run is finished, 130 when it was interrupted (and can be resumed).</summary>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static int Run(PretrainOptions options)
    {
        CommonOptions common = options.Common;
        LdvcConfig config = ConfigLoader.Load(options.Config, common.ApplySeed(options.Sets));
        string output = config.Pretrain.Out ?? RunFolder.DefaultPath(options.Config);
        int threads = common.Threads > 0 ? common.Threads : Environment.ProcessorCount;
        using Device device = common.OpenDevice();
        PretrainingOutcome outcome = PretrainingRun.Run(config, output, options.Resume, device, threads, common.Monitor, common.Cancellation);
        common.WriteJson(outcome);
        return outcome.Finished ? 0 : Application.Interrupted;
    }
}
