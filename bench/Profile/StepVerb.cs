using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Bench.Compare;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.Bench.Profile;

/// <summary>
/// `bench step`: one training step of ViT-B/16 or of a configuration, or the work of any other row of `bench peers`, kernel by kernel: a table, and
/// an HTML page with a time axis.
/// </summary>
internal static class StepVerb
{
    internal static Command Create()
    {
        var name = new Option<string>("--case")
        {
            HelpName = "NAME",
            Description = "step-voc, step-coco or another case of `bench peers`.",
            DefaultValueFactory = _ => "step-voc"
        };
        var config = new Option<string?>("--config")
        {
            HelpName = "FILE",
            Description = "A training configuration, whose step is taken instead of --case."
        };
        Option<string[]> sets = CommandParts.Sets();
        var batch = new Option<string?>("--batch")
        {
            HelpName = "N",
            Description = "Pictures of a run of --case; 1 unless the case has its own number."
        };
        var html = new Option<string?>("--html") { HelpName = "FILE", Description = "Also writes the step along a time axis as a page." };
        var command = new VerbCommand(
            "step",
            "One training step, or another case of peers, kernel by kernel.",
            "dotnet run -c Release --project bench -- step --case step-voc --html step.html") { name, config, sets, batch, html };
        DeviceParts on = DeviceParts.AddTo(command, "cpu", $"{DeviceFactory.Forms}.");
        command.SetAction(result => Run(
            OptionValue.RequiredText(result, name),
            OptionValue.Text(result, config),
            CommandParts.Read(result, sets),
            Pictures(result, batch),
            on.Read(result),
            OptionValue.OutputFile(result, html)));
        return command;
    }

    private static int? Pictures(ParseResult result, Option<string?> option)
    {
        string? text = OptionValue.Text(result, option);
        return text is null ? null
            : int.TryParse(
                text,
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out int batch) && batch is >= 1 and <= 1024 ? batch
            : throw new InputException($"--batch {text}: expected a number of pictures, 1 to 1024");
    }

    private static int Run(string name, string? config, string[] sets, int? batch, WorkDevice on, string? html)
    {
        if (config is null && sets.Length > 0)
        {
            throw new InputException("--set: expected --config FILE, whose values it overrides");
        }

        if (config is not null && batch is not null)
        {
            throw new InputException("--batch: expected --case, whose pictures it counts; with --config FILE, --set train.batch=N says how many");
        }

        var (recorder, memory) = config is not null ? ConfiguredStep.Record(name = config, sets, on) : RecordCase(name, batch, on);
        Print(recorder, Path.GetFileName(name));
        Console.WriteLine(memory);
        if (html is not null)
        {
            File.WriteAllText(html, StepPage.Html(recorder, Path.GetFileName(name)));
        }

        return 0;
    }

    private static (KernelRecorder Recorder, string Memory) RecordCase(string name, int? batch, WorkDevice on)
    {
        var @case = PeerCases.All.FirstOrDefault(c => c.Name == name) ?? throw new InputException(
            $"--case {name}: expected one of {string.Join(", ", PeerCases.All.Select(c => c.Name))}");
        if (batch is { } pictures)
        {
            @case = @case.TakesBatches
                ? @case.With(pictures)
                : throw new InputException($"--batch {pictures}: case {name} takes no pictures; encoder, prompts and step cases do");
        }

        string folder = Directory.CreateTempSubdirectory("ldvc-step-").FullName;
        try
        {
            PeerData.Write(@case, folder);
            using var work = OurWorks.Create(PeerCases.Ours, @case, folder, on);
            work.Trim();
            for (int i = 0; i < 3; i++)
            {
                work.Run();
            }

            string seconds = $"{StepClock.Median(work) * 1e3:F2} ms a run without the stopwatches; ";

            // The first recorded run also compiles the stopwatches.
            work.Record();
            return (work.Record(), seconds + work.Memory());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(KernelRecorder recorder, string name)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 160;
        }

        double total = recorder.Phases[^1].End, inKernels = recorder.Calls.Sum(c => c.Seconds);
        Console.WriteLine($"{name}: {total * 1e3:F2} ms, {recorder.Calls.Count} kernel calls, {inKernels / total:P1} of the time in kernels");
        AnsiConsole.Write(Rows("phase", recorder.Phases.Select(p => (p.Kernel, 1, p.Seconds)), total));
        AnsiConsole.Write(Rows("kernel", Groups(recorder.Calls, c => c.Kernel), total));
        AnsiConsole.Write(Rows("kernel and sizes", Groups(recorder.Calls, c => $"{c.Kernel} {c.Detail}").Take(40), total));
    }

    private static IEnumerable<(string Name, int Calls, double Seconds)> Groups(IEnumerable<KernelCall> calls, Func<KernelCall, string> key) =>
        calls.GroupBy(key).Select(g => (g.Key, g.Count(), g.Sum(c => c.Seconds))).OrderByDescending(g => g.Item3);

    private static Table Rows(string title, IEnumerable<(string Name, int Calls, double Seconds)> rows, double total)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(title);
        table.AddColumn(new TableColumn("calls").RightAligned()).AddColumn(new TableColumn("ms").RightAligned()).AddColumn(
            new TableColumn("share").RightAligned());
        foreach (var (name, calls, seconds) in rows)
        {
            table.AddRow(Markup.Escape(name), $"{calls}", $"{seconds * 1e3:F3}", $"{seconds / total:P1}");
        }

        return table;
    }
}
