using Ldvc.Bench.Compare;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.Bench.Profile;

/// <summary>`bench step`: one training step of ViT-B/16 or of a configuration, or the work of any other row of `bench peers`, kernel by kernel: a table, and an HTML page with a time axis.</summary>
internal static class StepVerb
{
    internal static int Run(ReadOnlySpan<string> args)
    {
        string name = "step-voc", html = string.Empty, config = string.Empty;
        var on = new WorkDevice("cpu", 0, Precision.Fp32);
        List<string> sets = [];
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new InputException($"'{args[i]}': expected a value after it");
            switch (args[i])
            {
                case "--case": name = value; break;
                case "--html": html = value; break;
                case "--config": config = value; break;
                case "--set": sets.Add(value); break;
                case "--threads" when int.TryParse(value, out int threads) && threads >= 0: on = on with { Threads = threads }; break;
                case "--device": on = on with { Name = value }; break;
                case "--precision" when Enum.TryParse(value, true, out Precision precision): on = on with { Precision = precision }; break;
                default: throw new InputException($"'{args[i]} {value}': expected --case NAME, or --config FILE and --set KEY=VALUE, --device D, --precision P, --html FILE, --threads N");
            }
        }

        var (recorder, memory) = config.Length > 0 ? ConfiguredStep.Record(name = config, sets, on) : RecordCase(name, on);
        Print(recorder, Path.GetFileName(name));
        Console.WriteLine(memory);
        if (html.Length > 0)
        {
            File.WriteAllText(html, StepPage.Html(recorder, Path.GetFileName(name)));
        }

        return 0;
    }

    private static (KernelRecorder Recorder, string Memory) RecordCase(string name, WorkDevice on)
    {
        var @case = PeerCases.All.FirstOrDefault(c => c.Name == name) ?? throw new InputException($"--case {name}: expected one of {string.Join(", ", PeerCases.All.Select(c => c.Name))}");
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
        table.AddColumn(new TableColumn("calls").RightAligned()).AddColumn(new TableColumn("ms").RightAligned()).AddColumn(new TableColumn("share").RightAligned());
        foreach (var (name, calls, seconds) in rows)
        {
            table.AddRow(Markup.Escape(name), $"{calls}", $"{seconds * 1e3:F3}", $"{seconds / total:P1}");
        }

        return table;
    }
}
