using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Cases;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.Bench.Cases;

/// <summary>
/// `bench kernels`: the case list that the tests check, timed on any device. Real sizes everywhere but on the simulator, which gets the tiny ones:
/// there the numbers only say that a kernel runs.
/// </summary>
internal static class KernelsVerb
{
    internal static Command Create()
    {
        Option<string?> filter = BenchParts.Filter("Only cases with TEXT in their name."), json = CommandParts.Json();
        var command = new VerbCommand(
            "kernels",
            "The tests' case list, timed (by the device's own events on cuda and opencl): time, GFLOP/s, GB/s, per cent of what the device can do.",
            "dotnet run -c Release --project bench -- kernels --device opencl --filter attention")
        {
            filter,
            json,
        };
        DeviceParts on = DeviceParts.AddTo(command, "cpu", $"{DeviceFactory.Forms}; the simulator gets tiny cases.");
        command.SetAction(result => Run(on.Read(result), OptionValue.Text(result, filter) ?? string.Empty, OptionValue.OutputFile(result, json)));
        return command;
    }

    private static int Run(WorkDevice on, string filter, string? json)
    {
        using var device = on.Open();
        string name = on.Name;
        bool tiny = name == "simulator";
        using var flush = new CacheFlush(device, tiny);
        var ceiling = tiny ? default : Ceiling.Measure(device, flush);
        var rows = Works(device, tiny).Where(work => work.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        if (rows.Count == 0)
        {
            throw new InputException($"--filter {filter}: no case of this list has that in its name");
        }

        Console.WriteLine(
            tiny ? "simulator: tiny cases, times say nothing about a device"
            : $"{name}: {ceiling.Flops / 1e9:F0} GFLOP/s ({ceiling.FlopsSource}), {ceiling.Bytes / 1e9:F1} GB/s (element-wise sum of 96 MiB); cold "
                + $"cache, medians, timed by {CaseTimer.Clock(device)}");
        var table = new Table().AddColumns("case", "ms", "GFLOP/s", "GB/s", "% of ceiling");
        foreach (int right in new[] { 1, 2, 3, 4 })
        {
            table.Columns[right].RightAligned();
        }

        var results = new List<CaseTiming>();
        foreach (var work in rows)
        {
            Console.Error.Write($"\r{results.Count + 1}/{rows.Count}");
            results.Add(work.Time(device, flush, ceiling));
            var r = results[^1];
            table.AddRow(
                Markup.Escape(r.Name),
                Text(r.Seconds * 1e3, "F3"),
                Text(r.Gflops, "F1"),
                Text(r.GigabytesPerSecond, "F2"),
                tiny ? "-" : $"{Text(r.PercentOfCeiling, "F0")} {r.Bound}");
        }

        Console.Error.WriteLine();
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 160;
        }

        AnsiConsole.Write(table);
        if (json is not null)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(new
            {
                device = name,
                clock = CaseTimer.Clock(device),
                ceilings = new { flops = ceiling.Flops, bytes = ceiling.Bytes },
                cases = results
            }, s_json));
        }

        return 0;
    }

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    // Operations forward and with their backward, then the kernel calls that no operation makes.
    private static IEnumerable<CaseTimer> Works(Device device, bool tiny)
    {
        foreach (var c in OpCaseList.All.Where(c => tiny ? c.Tiny : c.Real))
        {
            yield return new CaseTimer(c.Name, c.Work.Flops, c.Work.Floats, () =>
            {
                var run = new OpRun(c, device);
                return (run, run.Forward);
            });
            yield return new CaseTimer($"{c.Name}, and back", c.Work.Flops + c.Work.BackwardFlops, c.Work.Floats + c.Work.BackwardFloats, () =>
            {
                var run = new OpRun(c, device);
                return (run, run.ForwardBackward);
            });
        }

        foreach (var c in KernelCaseList.All.Where(c => tiny ? c.Tiny : c.Real))
        {
            yield return new CaseTimer(c.Name, c.Work.Flops, c.Work.Floats, () =>
            {
                var run = c.Prepare(device);
                return (run, run.Launch);
            });
        }
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
