using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Lab.Ablation;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc ablate` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Seeds">--seeds, null when it was not given.</param>
/// <param name="Rows">--rows, null when it was not given.</param>
/// <param name="Sweeps">--sweeps, null for all that the configuration has values for.</param>
/// <param name="Jobs">--jobs, null when it was not given.</param>
/// <param name="Out">--out, null when it was not given.</param>
/// <param name="Record">--record, null when it was not given.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record AblateOptions(
    string Config, string[] Sets, string? Seeds, string? Rows, string[]? Sweeps, string? Jobs, string? Out, string? Record, CommonOptions Common);

/// <summary>`ldvc ablate`.</summary>
internal static class AblateVerb
{
    private const string None = "none";

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        var seeds = new Option<string?>("--seeds") { HelpName = "N", Description = "Seeds per row (ablate.seeds)." };
        var rows = new Option<string?>("--rows")
        {
            HelpName = "A,B",
            Description = "Rows to compare: training-free, zegclip, language-driven, self-attention, route, ldvc (ablate.rows).",
        };
        var sweeps = new Option<string?>("--sweeps")
        {
            HelpName = "A,B",
            Description = $"Sweeps to run: {string.Join(", ", AblationPlan.SweepNames)} or {None}; their values are in section ablate. Default: all "
                + "that have values.",
        };
        var jobs = new Option<string?>("--jobs")
        {
            HelpName = "N",
            Description = "Runs computed at a time on the CPU, each with its share of the "
            + "threads (ablate.jobs)."
        };
        var output = new Option<string?>("--out") { HelpName = "DIR", Description = "Folder of the comparison (ablate.out)." };
        Option<string?> record = CommandParts.Record();
        var command = new VerbCommand(
            "ablate",
            "Trains and compares ZegCLIP, the steps between, and LDVC over several seeds, beside the CLIP alone; writes tables, JSON and a report. A "
                + "stopped comparison goes on when called again.",
            "ldvc ablate configs/evidence/ablate.yaml --seeds 3 --out runs/evidence",
            VerbProcesses.Several)
        {
            config,
            sets,
            seeds,
            rows,
            sweeps,
            jobs,
            output,
            record,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new AblateOptions(
            OptionValue.RequiredPath(result, config),
            CommandParts.Read(result, sets),
            OptionValue.Text(result, seeds),
            OptionValue.Text(result, rows),
            Sweeps(OptionValue.Text(result, sweeps)),
            OptionValue.Text(result, jobs),
            OptionValue.Path(result, output),
            OptionValue.Record(result, record),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb: 0 when everything is done, 130 when it was interrupted; the same command line then goes on.</summary>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static int Run(AblateOptions options)
    {
        CommonOptions common = options.Common;
        JobMember job = common.Member;
        job.OnFirst(() => common.CheckRecord(options.Record));
        LdvcConfig config = job.Together(() => ConfigLoader.Load(options.Config, common.ApplySeed(Settings(options))));
        job.RequireAlike(JobFacts.OfConfig(config));
        OptionValue.RefuseMany($"{config.Place}ablate.jobs", config.Ablate.Jobs);
        AblationPlan plan = job.Together(() => AblationPlan.Create(config, options.Sweeps));
        bool named = options.Out is not null || CommandParts.SetsKey(options.Sets, "ablate", "out");
        string root = (named ? null : AblationFolder.Around(options.Config)) ?? config.Ablate.Out ?? AblationFolder.DefaultPath(options.Config);
        using Device device = common.OpenDevice(config.Train.Precision);
        if (config.Ablate.Jobs > 1 && device is not CpuDevice)
        {
            throw new InputException($"{config.Place}ablate.jobs is {config.Ablate.Jobs}, expected 1 on {device.Name}: only runs on the CPU are "
                + "computed several at a time.");
        }

        AblationRun run = job.Together(() => new AblationRun(
            config, plan, root, device, threads => common.Device.Open(threads, common.Group), DrawnData.Registry, common.Monitor, job)
        {
            Command = common.CommandLine,
        });
        bool done = run.Execute();
        job.OnFirst(() =>
        {
            common.WriteJson(AblationOutput.Json(run.Results));
            common.Record(done ? options.Record : null, command => run.Record(command, common.Cancellation));
        });
        return done ? 0 : Application.Interrupted;
    }

    // The options are short for keys of section ablate, so that they are checked in one place.
    private static string[] Settings(AblateOptions options) =>
    [
        .. options.Sets,
        .. options.Seeds is { } seeds ? [$"ablate.seeds={seeds}"] : Array.Empty<string>(),
        .. options.Rows is { } rows ? [$"ablate.rows=[{rows}]"] : Array.Empty<string>(),
        .. options.Jobs is { } jobs ? [$"ablate.jobs={jobs}"] : Array.Empty<string>(),
        .. options.Out is { } output ? [$"ablate.out={System.Text.Json.JsonSerializer.Serialize(output, JsonText.Plain)}"] : Array.Empty<string>(),
    ];

    private static string[]? Sweeps(string? text)
    {
        if (text is null or None)
        {
            return text is null ? null : [];
        }

        string[] names = [.. text.Split(',').Select(name => name.Trim())];
        return names.FirstOrDefault(name => !AblationPlan.SweepNames.Contains(name)) is { } unknown
            ? throw new InputException(
                $"--sweeps: expected {None} or names out of {string.Join(", ", AblationPlan.SweepNames)}, found {ConfigText.Quote(unknown)}.")
            : names;
    }
}
