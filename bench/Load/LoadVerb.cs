using System.CommandLine;
using System.Globalization;
using Ldvc.App.Cli;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Spectre.Console;

namespace Ldvc.Bench.Load;

/// <summary>
/// `bench load`: many requests at once to an `ldvc serve` of its own, a part of them hostile. Fails when a good request is not answered with the
/// labels that it gets alone, when a hostile one is, or when memory goes on growing after the first tenth.
/// </summary>
internal static class LoadVerb
{
    // Memory in the last tenths over that in the tenths behind the first.
    private const double MaxGrowth = 1.15;

    internal static Command Create()
    {
        Option<string> clip = new("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP that is served.",
            DefaultValueFactory = _ => Path.Combine("assets", "demo", "clip")
        };
        Option<string> requests = Number("--requests", "Requests in all.", 10_000), atOnce = Number("--at-once", "Requests in flight.", 64);
        Option<string> hostile = Number("--hostile", "Hostile requests in 100.", 10), seed = Number("--seed", "Seed of their order.", 0);
        Option<string> threads = CommandParts.Threads(0);
        Option<string?> json = CommandParts.Json();
        var command = new VerbCommand(
            "load",
            "Many requests at once to a server of its own, some of them hostile.",
            "dotnet run -c Release --project bench -- load --requests 1000")
        {
            clip, requests, atOnce, hostile, seed, threads, json,
        };
        command.SetAction(async (result, cancellation) => await RunAsync(
            OptionValue.RequiredText(result, clip),
            new LoadPlan(
                (int)OptionValue.WholeNumber(result, requests, 10, 10_000_000),
                (int)OptionValue.WholeNumber(result, atOnce, 1, 100),
                (int)OptionValue.WholeNumber(result, hostile, 0, 90),
                (int)OptionValue.WholeNumber(result, seed, 0, int.MaxValue)),
            OptionValue.Threads(result, threads),
            OptionValue.OutputFile(result, json),
            cancellation).ConfigureAwait(false));
        return command;
    }

    private static Option<string> Number(string name, string description, int preset) =>
        new(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => $"{preset}" };

    private static async Task<int> RunAsync(string clip, LoadPlan plan, int threads, string? json, CancellationToken cancellation)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(clip, threads, cancellation).ConfigureAwait(false);
        using var run = new LoadRun(server, plan);
        double before = server.ResidentMebibytes;
        LoadResult result = await run.RunAsync(Report, cancellation).ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(15), cancellation).ConfigureAwait(false);
        double idle = server.ResidentMebibytes;
        Table(result);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"good {result.Good}, answered {result.Answered}, p50 {result.Percentile(0.5):F0} ms, p99 {result.Percentile(0.99):F0} ms; hostile "
                + $"{result.Hostile}; {result.Seconds:F0} s"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory: {before:F0} MiB before, {result.Windows.Max(w => w.PeakMebibytes):F0} at most, in the last three tenths "
                + $"{result.Growth:P0} of that in the second to fourth, {idle:F0} MiB after 15 s without a request"));
        bool good = result.Answered == result.Good && result.Surprises.Count == 0 && result.Growth <= MaxGrowth;
        foreach (string surprise in result.Surprises.Take(20))
        {
            Console.WriteLine("unexpected: " + surprise);
        }

        if (json is not null)
        {
            JsonText.Write(json, new
            {
                plan.Requests,
                plan.AtOnce,
                result.Seconds,
                result.Good,
                result.Answered,
                P50 = result.Percentile(0.5),
                P99 = result.Percentile(0.99),
                MebibytesBefore = before,
                MebibytesIdle = idle,
                result.Growth,
                result.Windows,
                Outcomes = result.Outcomes.Select(o => new { Request = o.Key.Kind, o.Key.Outcome, Times = o.Value }),
                result.Surprises,
            });
        }

        return good ? 0 : 1;
    }

    private static void Report(LoadWindow window) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{window.Until,8} requests, p50 {window.P50:F0} ms, p99 {window.P99:F0} ms, {window.Mebibytes:F0} MiB, at most "
            + $"{window.PeakMebibytes:F0}"));

    private static void Table(LoadResult result)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("request").AddColumn("outcome").AddColumn(
            new TableColumn("times").RightAligned());
        foreach (var ((kind, outcome), count) in result.Outcomes.OrderBy(o => o.Key))
        {
            table.AddRow(Markup.Escape(kind), Markup.Escape(outcome), $"{count}");
        }

        AnsiConsole.Write(table);
    }
}
