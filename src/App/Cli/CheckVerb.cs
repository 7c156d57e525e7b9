using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Inspection;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc check` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record CheckOptions(string Config, string[] Sets, CommonOptions Common);

/// <summary>`ldvc check`: reads every picture and mask of a configuration and says what is in them and what is wrong with them.</summary>
internal static class CheckVerb
{
    private const int ErrorsShown = 20;
    private const int Warned = 1;

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        var command = new VerbCommand(
            "check",
            "Reads every picture and mask of a configuration once: counts per class, and warnings of what would spoil results. Exit code 0 clean, 1 "
                + "warnings, 2 errors.",
            "ldvc check configs/voc/inductive.yaml --set data.root=VOCdevkit/VOC2012")
        {
            config,
            sets,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new CheckOptions(
            OptionValue.RequiredPath(result, config),
            CommandParts.Read(result, sets),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The configuration is not as it must be.</exception>
    public static int Run(CheckOptions options)
    {
        CommonOptions common = options.Common;
        LdvcConfig config = ConfigLoader.Load(options.Config, common.ApplySeed(options.Sets));
        int threads = common.Threads > 0 ? common.Threads : Environment.ProcessorCount;
        DataCheck check = DataCheck.Run(config, DrawnData.Registry, threads, common.Monitor, common.Cancellation);
        foreach (PartSurvey part in check.Parts)
        {
            common.Out.WriteLine();
            foreach (string line in CheckTable.Lines(part))
            {
                common.Out.WriteLine(line);
            }
        }

        common.Out.WriteLine();
        Conclude(common.Out, check);
        int code = check.Errors.Count > 0 ? Application.BadInput : check.Warnings.Count > 0 ? Warned : 0;
        common.WriteJson(CheckTable.ToJson(check, options.Config, code));
        return code;
    }

    private static void Conclude(TextWriter output, DataCheck check)
    {
        foreach (string error in check.Errors.Take(ErrorsShown))
        {
            output.WriteLine($"error: {error}");
        }

        if (check.Errors.Count > ErrorsShown)
        {
            output.WriteLine($"error: and {check.Errors.Count - ErrorsShown} more; --json FILE lists all");
        }

        foreach (DataFinding warning in check.Warnings)
        {
            output.WriteLine($"warning: {(warning.Part is null ? "" : warning.Part + ": ")}{warning.Text}");
        }

        if (check.NamesSkipped is not null)
        {
            output.WriteLine($"note: {check.NamesSkipped}");
        }

        output.WriteLine($"{PartFindings.Count(check.Errors.Count, "error")}, {PartFindings.Count(check.Warnings.Count, "warning")}");
    }
}
