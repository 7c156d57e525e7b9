using System.CommandLine;
using System.Globalization;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Ptx;
using Ldvc.Tensors;

namespace Ldvc.Bench.Launches;

/// <summary>`bench launches`: what a training step of ViT-B/16 starts on a card, phase by phase, without one.</summary>
internal static class LaunchesVerb
{
    internal static Command Create()
    {
        Option<string> batch = Number("--batch", "Pictures of a step.", 1), classes = Number("--classes", "Names that are encoded.", 15);
        Option<string> processors = Number("--multiprocessors", "Of the card, which decide on tiles and cuts: 132 has an NVIDIA H200.", 132);
        Option<string> precision = CommandParts.Precision();
        precision.Description = "Precision of matrix products and attention: fp32 | tf32 | bf16 | fp16.";
        var command = new VerbCommand(
            "launches",
            "The kernels that a training step of LDVC on ViT-B/16 at 512 pixels starts, with the bytes and the operations that they must do at "
                + "least: a table by phase. Needs no GPU.",
            "dotnet run -c Release --project bench -- launches --precision bf16 --batch 16")
        {
            batch,
            classes,
            processors,
            precision,
        };
        command.SetAction(result => Run(
            OptionValue.Precision(result, precision),
            (int)OptionValue.WholeNumber(result, batch, 1, 64),
            (int)OptionValue.WholeNumber(result, classes, 1, 255),
            (int)OptionValue.WholeNumber(result, processors, 1, 1024)));
        return command;
    }

    private static Option<string> Number(string name, string description, int preset) =>
        new(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => preset.ToString(CultureInfo.InvariantCulture) };

    private static int Run(Precision precision, int batch, int classes, int multiprocessors)
    {
        var works = new List<LaunchWork>();
        StepLaunches step = StepLaunches.Record(precision, batch, classes, multiprocessors, launch => works.Add(LaunchWork.Of(launch)));
        Console.WriteLine("| phase | launches | MB | GFLOP | operations a byte |");
        Console.WriteLine("|---|---|---|---|---|");
        var all = step.All.Zip(works, (launch, work) => (launch.Phase, Work: work)).ToList();
        foreach (var phase in all.GroupBy(each => each.Phase))
        {
            Console.WriteLine($"| {phase.Key} {LaunchWork.Row([.. phase.Select(each => each.Work)])}");
        }

        Console.WriteLine($"| all {LaunchWork.Row(works)}");
        return 0;
    }
}
