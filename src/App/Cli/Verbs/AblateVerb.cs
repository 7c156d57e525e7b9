using Ldvc.Configuration;
using Ldvc.Lab.Ablation;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Verbs;

/// <summary>What `ldvc ablate` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Seeds">--seeds, null when it was not given.</param>
/// <param name="Rows">--rows, null when it was not given.</param>
/// <param name="Sweeps">--sweeps, null for all that the configuration has values for.</param>
/// <param name="Jobs">--jobs, null when it was not given.</param>
/// <param name="Out">--out, null when it was not given.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record AblateOptions(string Config, string[] Sets, string? Seeds, string? Rows, string[]? Sweeps, string? Jobs, string? Out, CommonOptions Common);

/// <summary>`ldvc ablate`.</summary>
internal static class AblateVerb
{
    /// <summary>Runs the verb: 0 when everything is done, 130 when it was interrupted; the same command line then goes on.</summary>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static int Run(AblateOptions options)
    {
        CommonOptions common = options.Common;
        LdvcConfig config = ConfigLoader.Load(options.Config, common.ApplySeed(Settings(options)));
        AblationPlan plan = AblationPlan.Create(config, options.Sweeps);
        string root = config.Ablate.Out ?? AblationFolder.DefaultPath(options.Config);
        using Device device = common.OpenDevice(config.Train.Precision);
        if (config.Ablate.Jobs > 1 && device is not CpuDevice)
        {
            throw new InputException($"{config.Source}: ablate.jobs is {config.Ablate.Jobs}, expected 1 on {device.Name}: only runs on the CPU are computed several at a time.");
        }

        var run = new AblationRun(config, plan, root, device, common.Device.Open, DrawnData.Registry, common.Monitor, common.Cancellation);
        bool done = run.Execute();
        common.WriteJson(AblationOutput.Json(run.Results));
        return done ? 0 : Application.Interrupted;
    }

    // The options are short for keys of section ablate, so that they are checked in one place.
    private static string[] Settings(AblateOptions options) =>
    [
        .. options.Sets,
        .. options.Seeds is { } seeds ? [$"ablate.seeds={seeds}"] : Array.Empty<string>(),
        .. options.Rows is { } rows ? [$"ablate.rows=[{rows}]"] : Array.Empty<string>(),
        .. options.Jobs is { } jobs ? [$"ablate.jobs={jobs}"] : Array.Empty<string>(),
        .. options.Out is { } output ? [$"ablate.out={System.Text.Json.JsonSerializer.Serialize(output)}"] : Array.Empty<string>(),
    ];
}
