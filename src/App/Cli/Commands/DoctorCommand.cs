using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc doctor`.</summary>
internal static class DoctorCommand
{
    public static Command Create(VerbHost host)
    {
        var command = new VerbCommand("doctor", "Says what this machine can do, which devices can be used, and why others cannot.", "ldvc doctor");
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => DoctorVerb.Run(new DoctorOptions(common.Read(result, host))));
        return command;
    }
}
