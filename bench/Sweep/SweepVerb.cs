using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Tensors;

namespace Ldvc.Bench.Sweep;

/// <summary>One measured point: the size, median seconds, and the cost that theory gives relative to the largest size.</summary>
internal readonly record struct SweepPoint(int Size, double Seconds, double Theory);

/// <summary>`bench sweep`: does time grow with tokens, classes, batch and k as the theory says?</summary>
internal static class SweepVerb
{
    internal static Command Create()
    {
        var csv = new Option<string?>("--csv") { HelpName = "FILE", Description = "Also writes the points as a table." };
        var svg = new Option<string?>("--svg") { HelpName = "FILE", Description = "Also draws them." };
        Option<string> threads = CommandParts.Threads(0);
        var command = new VerbCommand(
            "sweep",
            "Time over tokens, classes, batch and k, against what theory says.",
            "dotnet run -c Release --project bench -- sweep --svg sweep.svg") { csv, svg, threads };
        command.SetAction(
            result => Run(OptionValue.OutputFile(result, csv), OptionValue.OutputFile(result, svg), OptionValue.Threads(result, threads)));
        return command;
    }

    private static int Run(string? csv, string? svg, int threads)
    {
        using var device = new CpuDevice(threads);
        var lines = new List<(string Name, IReadOnlyList<SweepPoint> Points)>();
        var table = new StringBuilder("sweep,size,seconds,theory_seconds\n");
        foreach (var sweep in Sweeps.All(device))
        {
            using (sweep)
            {
                var points = Measure(sweep);
                lines.Add((sweep.Name, points));
                foreach (var point in points)
                {
                    // The theory's line goes through the largest size's point.
                    double theory = point.Theory * points[^1].Seconds;
                    table.Append(CultureInfo.InvariantCulture, $"{sweep.Name},{point.Size},{point.Seconds:G6},{theory:G6}\n");
                    Console.WriteLine($"{sweep.Name,-34} {point.Size,5}  {point.Seconds * 1e3,9:F2} ms  {point.Seconds / theory,5:F2} of theory");
                }
            }
        }

        if (csv is not null)
        {
            File.WriteAllText(csv, table.ToString());
        }

        if (svg is not null)
        {
            File.WriteAllText(svg, SweepPlot.Svg(lines));
        }

        return 0;
    }

    private static List<SweepPoint> Measure(Sweep sweep)
    {
        var points = new List<SweepPoint>();
        double last = sweep.Cost(sweep.Sizes[^1]);
        foreach (int size in sweep.Sizes)
        {
            var action = sweep.Prepare(size);

            // Long enough for the JIT to have compiled everything at its best.
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < 1;)
            {
                action();
            }

            var (median, _) = Timing.Measure(7, 1, action);
            points.Add(new SweepPoint(size, median, sweep.Cost(size) / last));
        }

        return points;
    }
}
