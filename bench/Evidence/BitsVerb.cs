using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Configuration;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Evidence;

/// <summary>
/// `bench bits`: runs the golden training and compares it with the history of the arithmetic, or writes that it is another one now.
/// </summary>
internal static class BitsVerb
{
    private const int Other = 1;

    internal static Command Create()
    {
        var reason = new Option<string?>("--reason")
        {
            HelpName = "TEXT",
            Description = "Writes the hashes as a new entry of results/bits.json, with what was changed, in one sentence.",
        };
        var command = new VerbCommand(
            "bits",
            "Runs the golden training (50 steps, at 128, 256 and 512 bits) and says whether its results are those of results/bits.json; "
                + "ends with 1 when they are not.",
            "dotnet run -c Release --project bench -- bits --reason \"Sums of layer norms are taken in pairs.\"")
        {
            reason,
        };
        command.SetAction(result => Run(OptionValue.Text(result, reason)));
        return command;
    }

    private static int Run(string? reason)
    {
        string assets = DemoAssets.Find()
            ?? throw new InputException($"the demo's small CLIP was not found: expected a folder {DemoAssets.Folder} beside the program");
        string clip = Path.Combine(assets, DemoAssets.Clip);
        string path = Path.Combine(Ledger.FolderFor(Environment.CurrentDirectory), BitsHistory.FileName);
        BitsHistory history = BitsHistory.Read(path);
        BitsChange measured = GoldenRun.Measure(clip, reason ?? "");
        foreach (int width in GoldenRun.Widths)
        {
            string now = measured.Hashes[$"{width}"], before = history.Current.Hashes.GetValueOrDefault($"{width}", "nothing");
            Console.WriteLine($"{width} bits: {now}{(now == before ? "" : $", {before} in {path}")}");
        }

        if (measured.Id == history.Current.Id)
        {
            Console.WriteLine($"bits {measured.Id} since {history.Current.Date}: {history.Current.Reason}");
            return reason is null
                ? 0
                : throw new InputException($"--reason: expected none, since the hashes are those of {path}, found {ConfigText.Quote(reason)}.");
        }

        if (reason is null)
        {
            Console.WriteLine($"the arithmetic is another one than {path} says (bits {history.Current.Id})");
            Console.WriteLine("if it is meant to be, run this again with --reason TEXT, and build again");
            return Other;
        }

        JsonText.Write(path, history.With(measured));
        Console.WriteLine($"bits {measured.Id} from now on, in {path}");
        Console.WriteLine("build again, and measure again what pages show (bench tables --check names it)");
        return 0;
    }
}
