using System.CommandLine;
using System.Globalization;
using Ldvc.App.Cli;
using Ldvc.Fuzz;
using Ldvc.Tensors;

namespace Ldvc.Bench.Reliability;

/// <summary>
/// Gives every parser of files damaged ones, any number of them, and prints a table: how many it accepted, what it threw that is no refusal, how long
/// and how much memory one took at most. The same seed gives the same files. Inputs that crash a parser are kept.
/// </summary>
internal static class FuzzVerb
{
    private const string All = "all";

    internal static Command Create()
    {
        var parser = new Option<string>("--parser")
        {
            HelpName = "P",
            Description = "One parser, or several with commas between, or all.",
            DefaultValueFactory = _ => All
        };
        var count = new Option<string>("--count") { HelpName = "N", Description = "Inputs for each parser.", DefaultValueFactory = _ => "10000" };
        var seed = new Option<string>("--seed") { HelpName = "S", Description = "Which inputs.", DefaultValueFactory = _ => "1" };
        var data = new Option<string>("--data")
        {
            HelpName = "DIR",
            Description = "The folder of the tests' data, whose valid files are damaged.",
            DefaultValueFactory = _ => Path.Combine("tests", "data")
        };
        var crashes = new Option<string>("--crashes")
        {
            HelpName = "DIR",
            Description = "Where inputs that crash a parser are kept.",
            DefaultValueFactory = _ => "fuzz-crashes"
        };
        var command = new VerbCommand(
            "fuzz",
            "Damaged files for every parser. Exit code 1 when one of them crashes a parser or takes more memory than its bound.",
            "dotnet run -c Release --project bench -- fuzz --parser safetensors,yaml --count 1000000 --seed 7")
        {
            parser, count, seed, data, crashes,
        };
        command.SetAction(result => Run(
            OptionValue.RequiredText(result, parser).Split(',', StringSplitOptions.TrimEntries),
            (int)OptionValue.WholeNumber(result, count, 1, int.MaxValue),
            (int)OptionValue.WholeNumber(result, seed, 0, int.MaxValue),
            OptionValue.RequiredText(result, data),
            OptionValue.RequiredText(result, crashes)));
        return command;
    }

    private static int Run(string[] wanted, int count, int seed, string data, string crashes)
    {
        if (!Directory.Exists(data))
        {
            throw new InputException($"--data: expected the folder of the tests' data, found no folder {data}.");
        }

        IReadOnlyList<FuzzParser> all = FuzzParsers.All(data);
        string? unknown = Array.Find(wanted, name => name != All && all.All(parser => parser.Name != name));
        if (unknown is not null)
        {
            throw new InputException($"--parser: expected {All} or some of {string.Join(", ", all.Select(parser => parser.Name))}, found {unknown}.");
        }

        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            stop.Cancel();
        };
        Console.WriteLine("| parser | inputs | accepted | crashes | beyond the bound | slowest | most memory |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        bool faults = false;
        foreach (FuzzParser parser in all.Where(parser => wanted.Contains(All) || wanted.Contains(parser.Name)))
        {
            string folder = Directory.CreateTempSubdirectory("ldvc-fuzz-").FullName;
            FuzzResult result = FuzzRun.Run(parser, count, seed, folder, stop.Token);
            Directory.Delete(folder, recursive: true);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {result.Parser} | {result.Inputs} | {100.0 * result.Accepted / Math.Max(1, result.Inputs):F1} % | {result.CrashCount} | "
                    + $"{result.Beyond} | {result.Slowest.TotalMilliseconds:F1} ms | {result.MostBytes / 1048576.0:F1} MiB |"));
            faults |= result.CrashCount > 0 || result.Beyond > 0;
            Keep(result, crashes);
            if (stop.IsCancellationRequested)
            {
                break;
            }
        }

        return faults ? 1 : 0;
    }

    private static void Keep(FuzzResult result, string folder)
    {
        for (int i = 0; i < result.Crashes.Count; i++)
        {
            Directory.CreateDirectory(folder);
            string file = Path.Combine(folder, $"{result.Parser}-{i}");
            File.WriteAllBytes(file, result.Crashes[i].Input);
            Console.Error.WriteLine($"{file}: {result.Crashes[i].Error}");
        }
    }
}
