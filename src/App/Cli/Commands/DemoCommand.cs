using System.CommandLine;
using System.Globalization;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Lab.Demo;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc demo`.</summary>
internal static class DemoCommand
{
    private const int MostPictures = 99999;

    public static Command Create(VerbHost host)
    {
        var output = new Option<string>("--out")
        {
            HelpName = "DIR",
            Description = "Folder of the report and of the trained models.",
            DefaultValueFactory = _ => DemoFiles.DefaultFolder,
        };
        var data = new Option<string?>("--write-data")
        {
            HelpName = "DIR",
            Description = "Instead writes the drawn benchmark (data.synthetic.vocabulary: scenes) to DIR in PASCAL VOC's layout, for data.kind: folder and other programs. --seed draws other scenes.",
        };
        var pictures = new Option<string>("--pictures")
        {
            HelpName = "TRAIN,VAL",
            Description = "With --write-data: how many pictures.",
            DefaultValueFactory = _ => "4000,200",
        };
        var command = new VerbCommand(
            "demo",
            "Segments drawn scenes, unseen classes included, with the small model of this repository, and writes a report with pictures.",
            "ldvc demo --out demo-output")
        {
            output,
            data,
            pictures,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => OptionValue.Text(result, data) is { } folder
            ? WriteDataVerb.Run(new WriteDataOptions(folder, Counts(OptionValue.RequiredText(result, pictures)), common.Read(result, host)))
            : DemoVerb.Run(new DemoOptions(OptionValue.RequiredText(result, output), common.Read(result, host))));
        return command;
    }

    private static (int Train, int Val) Counts(string text)
    {
        string[] parts = text.Split(',');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int train) && train is >= 1 and <= MostPictures
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int val) && val is >= 1 and <= MostPictures
            ? (train, val)
            : throw new InputException($"--pictures: expected two whole numbers from 1 to {MostPictures}, as in 4000,200, found {ConfigText.Quote(text)}.");
    }
}
