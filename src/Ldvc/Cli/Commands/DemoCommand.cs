using System.CommandLine;
using Ldvc.Cli.Verbs;

namespace Ldvc.Cli.Commands;

/// <summary>`ldvc demo`.</summary>
internal static class DemoCommand
{
    public static Command Create(VerbHost host)
    {
        var output = new Option<string>("--out")
        {
            HelpName = "DIR",
            Description = "Folder of the report.",
            DefaultValueFactory = _ => "demo-output",
        };
        var command = new VerbCommand(
            "demo",
            "Segments drawn scenes, unseen classes included, with the small model of this repository, and writes a report with pictures.",
            "ldvc demo --out demo-output")
        {
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => DemoVerb.Run(new DemoOptions(OptionValue.RequiredText(result, output), common.Read(result, host))));
        return command;
    }
}
