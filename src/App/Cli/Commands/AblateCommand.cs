using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Lab.Ablation;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc ablate`.</summary>
internal static class AblateCommand
{
    private const string None = "none";

    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        var seeds = new Option<string?>("--seeds") { HelpName = "N", Description = "Seeds per row (ablate.seeds)." };
        var rows = new Option<string?>("--rows")
        {
            HelpName = "A,B",
            Description = "Rows to compare: zegclip, language-driven, self-attention, route, ldvc (ablate.rows).",
        };
        var sweeps = new Option<string?>("--sweeps")
        {
            HelpName = "A,B",
            Description = $"Sweeps to run: {string.Join(", ", AblationPlan.SweepNames)} or {None}; their values are in section ablate. Default: all that have values.",
        };
        var jobs = new Option<string?>("--jobs") { HelpName = "N", Description = "Runs computed at a time on the CPU, each with its share of the threads (ablate.jobs)." };
        var output = new Option<string?>("--out") { HelpName = "DIR", Description = "Folder of the comparison (ablate.out)." };
        var command = new VerbCommand(
            "ablate",
            "Trains and compares ZegCLIP, the steps between, and LDVC over several seeds; writes tables, JSON and a report. A stopped comparison goes on when called again.",
            "ldvc ablate configs/evidence/ablate.yaml --seeds 3 --out runs/evidence")
        {
            config,
            sets,
            seeds,
            rows,
            sweeps,
            jobs,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => AblateVerb.Run(new AblateOptions(
            OptionValue.RequiredText(result, config),
            CommandParts.Read(result, sets),
            OptionValue.Text(result, seeds),
            OptionValue.Text(result, rows),
            Sweeps(OptionValue.Text(result, sweeps)),
            OptionValue.Text(result, jobs),
            OptionValue.Text(result, output),
            common.Read(result, host))));
        return command;
    }

    private static string[]? Sweeps(string? text)
    {
        if (text is null or None)
        {
            return text is null ? null : [];
        }

        string[] names = [.. text.Split(',').Select(name => name.Trim())];
        return names.FirstOrDefault(name => !AblationPlan.SweepNames.Contains(name)) is { } unknown
            ? throw new InputException($"--sweeps: expected {None} or names out of {string.Join(", ", AblationPlan.SweepNames)}, found {ConfigText.Quote(unknown)}.")
            : names;
    }
}
