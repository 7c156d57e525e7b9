using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Tensors;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench.Scale;

/// <summary>
/// `bench scale`: one process of two threads against two processes of one thread, by each launcher that is installed, and several GPUs on paper.
/// </summary>
internal static class ScaleVerb
{
    private static readonly string[] s_launchers = ["mpirun.openmpi", "mpirun.mpich"];

    internal static Command Create()
    {
        var paper = new Option<bool>("--paper") { Description = "Only the table on paper; nothing is measured." };
        Option<string> step = Number(
            "--picture-ms", "12.5", "On paper: a training step's time for one picture on one GPU (an H200's in bf16 without --picture-ms).");
        Option<string> batch = Number("--batch", "16", "On paper: pictures of a step, over all GPUs.");
        Option<string> gradients = Number("--gradients-mb", "55.4", "On paper: gradients of a step (VOC without --gradients-mb).");
        Option<string> window = Number("--window", "0.5", "On paper: the share of a step in which sums can run beside the backward.");
        Option<string> rounds = BenchParts.Rounds(3);
        var command = new VerbCommand(
            "scale",
            "One process against two, and several GPUs on paper.",
            "dotnet run -c Release --project bench -- scale") { paper, step, batch, gradients, window, rounds };
        command.SetAction(result =>
        {
            var model = new PaperModel(
                Read(result, step, 0.001),
                (int)OptionValue.WholeNumber(result, batch, 1, 1_000_000),
                Read(result, gradients, 0.001),
                Read(result, window, 0),
                4.2,
                0.8);
            if (!result.GetValue(paper))
            {
                Measure(BenchParts.Rounds(result, rounds), Console.Out);
                Console.WriteLine();
            }

            PaperTable.Print(model, Console.Out);
            return 0;
        });
        return command;
    }

    private static Option<string> Number(string name, string preset, string description) =>
        new(name) { HelpName = "X", Description = description, DefaultValueFactory = _ => preset };

    private static double Read(ParseResult result, Option<string> option, double least) =>
        double.TryParse(
            result.GetValue(option), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && double.IsFinite(value)
            ? value
            : throw new InputException($"{option.Name}: expected a number of at least {least}, found '{result.GetValue(option)}'");

    private static void Measure(int rounds, TextWriter output)
    {
        string[] launchers = [.. s_launchers.Where(IsThere)];
        if (launchers.Length == 0)
        {
            output.WriteLine($"nothing measured: none of {string.Join(", ", s_launchers)} is installed (Debian: openmpi-bin, mpich)");
            return;
        }

        string folder = Directory.CreateTempSubdirectory("ldvc-scale-").FullName;
        try
        {
            output.WriteLine("| training | processes x threads | by | pictures/s | of one process | in sums | waiting at most |");
            output.WriteLine("|---|---|---|---|---|---|---|");
            foreach (ScaleCase each in new[] { ScaleCase.Small(), ScaleCase.VitB16(folder) })
            {
                Compare(each, launchers, rounds, output);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // In turn, so that all meet the same weather.
    private static void Compare(ScaleCase each, string[] launchers, int rounds, TextWriter output)
    {
        var results = new List<ScaleResult>[launchers.Length + 1];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < results.Length; i++)
            {
                (results[i] ??= []).Add(Start(each, i == 0 ? null : launchers[i - 1]));
            }
        }

        double one = results[0].Select(result => result.Pictures).Median();
        for (int i = 0; i < results.Length; i++)
        {
            double pictures = results[i].Select(result => result.Pictures).Median();
            double sums = results[i].Select(result => result.Communication).Median(), waiting = results[i].Select(result => result.Waiting).Median();
            string spread = string.Create(
                CultureInfo.InvariantCulture,
                $"{pictures:0.00} ({results[i].Min(result => result.Pictures):0.00} to {results[i].Max(result => result.Pictures):0.00})");
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {each.Name} | {(i == 0 ? "1 x 2" : "2 x 1")} | {(i == 0 ? "-" : results[i][0].Group)} | {spread} | {pictures / one * 100:0.0}% | "
                    + $"{(i == 0 ? "- | -" : $"{sums * 100:0.0}% | {waiting * 100:0.0}%")} |"));
        }
    }

    private static ScaleResult Start(ScaleCase each, string? launcher)
    {
        string self = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [self, typeof(ScaleVerb).Assembly.Location] : [self];
        string[] options = launcher is null ? [] : launcher.EndsWith(
            "openmpi", StringComparison.Ordinal) ? ["--bind-to", "none", "--oversubscribe", "-n", "2"] : ["-n", "2"];
        string[] command = [.. program, ScaleWorker.Name, each.Config, launcher is null ? "2" : "1", $"{each.WarmUp}", $"{each.Steps}", .. each.Sets];
        var info = new ProcessStartInfo(launcher ?? command[0], [.. options, .. launcher is null ? command[1..] : command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = info.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        using Process process = Process.Start(info)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string? line = process.StandardOutput.ReadToEnd().Split('\n').FirstOrDefault(text => text.StartsWith('{'));
        process.WaitForExit();
        return process.ExitCode == 0 && line is not null
            ? JsonSerializer.Deserialize<ScaleResult>(line)!
            : throw new InputException($"{info.FileName} ended with {process.ExitCode}: {error.Result.Trim()}");
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
