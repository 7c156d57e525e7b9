using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Bench.Compare.Libtorch;
using Ldvc.Bench.Compare.Onnx;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare;

/// <summary>
/// The child process: builds one engine's work of one case, writes its outputs, warms up, then runs when told to. One line of JSON per message;
/// bench/peers/peer.py speaks the same protocol.
/// </summary>
internal static class Worker
{
    internal static Command Create()
    {
        Argument<string> engine = new("ENGINE"), name = new("CASE"), folder = new("DIR"), threads = new("THREADS"), device = new("DEVICE"),
            precision = new("PRECISION");
        var command = new Command("peer-worker", "What `bench peers` starts.") { engine, name, folder, threads, device, precision };
        command.Hidden = true;
        command.SetAction(result => Run(
            result.GetRequiredValue(engine),
            result.GetRequiredValue(name),
            result.GetRequiredValue(folder),
            new WorkDevice(
                result.GetRequiredValue(device),
                int.Parse(result.GetRequiredValue(threads), CultureInfo.InvariantCulture),
                Enum.Parse<Precision>(result.GetRequiredValue(precision)))));
        return command;
    }

    private static int Run(string engine, string caseName, string folder, WorkDevice on)
    {
        var @case = PeerCases.All.First(c => c.Name == caseName);
        using var work = Create(engine, @case, folder, on);
        WriteOutputs(Path.Combine(folder, $"out.{engine}.safetensors"), work.Check());
        (work as OurWork)?.Trim();
        ProcessMemory.Reset();
        double resident = work.ResidentMebibytes;
        double seconds = WarmUp.Run(() => Time(work), () => work.IsSettled);
        Say(new JsonObject { ["ready"] = true, ["seconds"] = seconds });
        long allocations = work.DeviceAllocations, bytes = GC.GetTotalAllocatedBytes(true), runs = 0;
        int collections = GC.CollectionCount(0);
        while (Console.ReadLine() is { } line && line.StartsWith("run ", StringComparison.Ordinal))
        {
            int count = int.Parse(line.AsSpan(4));
            var times = new JsonArray();
            for (int i = 0; i < count; i++)
            {
                times.Add(Time(work));
                runs++;
            }

            Say(new JsonObject { ["times"] = times });
        }

        double peak = work.PeakMebibytes;
        Say(new JsonObject
        {
            ["peak"] = peak,
            ["added"] = peak - resident,
            ["managedBytesPerRun"] = (GC.GetTotalAllocatedBytes(true) - bytes) / Math.Max(1, runs),
            ["collections"] = GC.CollectionCount(0) - collections,
            ["deviceAllocations"] = work.DeviceAllocations - allocations,
        });
        return 0;
    }

    private static IWork Create(string engine, PeerCase @case, string folder, WorkDevice on) => engine switch
    {
        PeerCases.Onnx => new OnnxWork(@case, folder, on.Threads),
        PeerCases.Libtorch => new LibtorchWork(@case, folder),
        PeerCases.Peak => new FmaPeak(@case, on.Threads),
        _ => OurWorks.Create(engine, @case, folder, on),
    };

    private static double Time(IWork work)
    {
        long start = Stopwatch.GetTimestamp();
        work.Run();
        work.Wait();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / work.Parts;
    }

    private static void Say(JsonObject message)
    {
        Console.Out.WriteLine(message.ToJsonString(JsonSerializerOptions.Default));
        Console.Out.Flush();
    }

    private static void WriteOutputs(string path, IReadOnlyList<Named> outputs)
    {
        var writer = new SafetensorsWriter();
        foreach (var output in outputs)
        {
            writer.AddFloat32(output.Name, [.. output.Shape.Select(s => (long)s)], output.Values);
        }

        writer.Save(path);
    }
}
