using Spectre.Console;

namespace Ldvc.Bench.Compare;

/// <summary>Prints results and goals.</summary>
internal static class PeerTable
{
    internal static void Print(IReadOnlyList<PeerResult> results, IReadOnlyList<GoalResult> goals, double peak)
    {
        // A pipe has no width of its own: the table must not be folded there.
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 200;
        }

        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("case").AddColumn("engine");
        foreach (string column in new[] { "median", "rounds", "GFLOP/s", "of peak", "peak MiB", "added MiB", "ours/this", "error" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        string last = string.Empty;
        foreach (var r in results)
        {
            string name = r.Case == last ? string.Empty : r.Case;
            last = r.Case;
            if (r.Missing is not null)
            {
                table.AddRow(
                    name,
                    r.Engine,
                    "missing",
                    string.Empty,
                    string.Empty,
                    string.Empty,
                    string.Empty,
                    string.Empty,
                    string.Empty,
                    r.Error > 0 ? $"{r.Error:e1}" : string.Empty);
                continue;
            }

            table.AddRow(
                name, r.Engine, Seconds(r.MedianSeconds), $"{Seconds(r.LowSeconds)} - {Seconds(r.HighSeconds)}",
                r.GigaFlops > 0 ? $"{r.GigaFlops:F0}" : string.Empty, r.GigaFlops > 0 && peak > 0 ? $"{r.GigaFlops / peak:P0}" : string.Empty,
                $"{r.PeakMebibytes:F0}", $"{r.AddedMebibytes:F0}", r.Engine == PeerCases.Ours ? string.Empty : $"{r.OursToThis:F3}",
                    r.Error > 0 ? $"{r.Error:e1}" : string.Empty);
        }

        AnsiConsole.Write(table);
        var goalTable = new Table().Border(TableBorder.Simple).AddColumn("goal").AddColumn("ratio of").AddColumn("to").AddColumn("at most")
            .AddColumn("measured").AddColumn(string.Empty);
        foreach (var g in goals)
        {
            goalTable.AddRow(g.Case, g.Measure, g.Rival, $"{g.Limit:F3}", $"{g.Ratio:F3}", g.Reached ? "reached" : "not reached");
        }

        if (goals.Count > 0)
        {
            AnsiConsole.Write(goalTable);
        }

        foreach (var r in results.Where(r => r.Missing is not null))
        {
            Console.WriteLine($"{r.Case}, {r.Engine}: {r.Missing}");
        }

        foreach (var r in results.Where(r => r.Engine == PeerCases.Ours && r.Missing is null))
        {
            Console.WriteLine($"{r.Case}: {r.ManagedBytesPerRun} managed bytes a run, {r.Collections} collections and {r.DeviceAllocations} device "
                + $"allocations in {r.Runs} runs");
        }
    }

    private static string Seconds(double seconds) =>
        seconds < 0.1 ? $"{seconds * 1e3:F2} ms" : seconds < 1 ? $"{seconds * 1e3:F0} ms" : $"{seconds:F2} s";
}
