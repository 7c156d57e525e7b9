using System.CommandLine;
using Ldvc.App.Doctor;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc doctor` is told.</summary>
/// <param name="Common">What every verb is told.</param>
internal sealed record DoctorOptions(CommonOptions Common);

/// <summary>`ldvc doctor`: what this machine and this build can do, one line per fact.</summary>
internal static class DoctorVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var command = new VerbCommand(
            "doctor", "Says what this machine can do, which devices can be used, and why others cannot.", "ldvc doctor", VerbProcesses.Each);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new DoctorOptions(common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb; 0 when everything that is needed works, else 1.</summary>
    public static int Run(DoctorOptions options)
    {
        Finding[] findings = [.. MachineFacts.Collect(Application.VersionText), .. DeviceFacts.Collect(options.Common.Threads), .. JobFacts.Collect(),
            .. ProgramFacts.Collect()];
        foreach (Finding finding in findings)
        {
            string word = finding.State switch
            {
                FindingState.Ok => "ok",
                FindingState.Absent => "no",
                FindingState.Broken => "BROKEN",
                _ => "",
            };
            options.Common.Out.WriteLine($"{finding.Subject,-17} {word,-6} {finding.Text}");
        }

        options.Common.WriteJson(findings.Select(f => new { f.Subject, State = f.State.ToString().ToLowerInvariant(), f.Text }));
        return findings.Any(f => f.State == FindingState.Broken) ? 1 : 0;
    }
}
