using System.Diagnostics;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench.Cases;

/// <summary>What one case took.</summary>
/// <param name="Name">Operation or kernel, sizes, direction.</param>
/// <param name="Seconds">Median of the rounds.</param>
/// <param name="Rounds">How many there were.</param>
/// <param name="Gflops">Least operations over time.</param>
/// <param name="GigabytesPerSecond">Least bytes moved over time.</param>
/// <param name="PercentOfCeiling">The time that the nearer ceiling allows, in per cent of the time taken.</param>
/// <param name="Bound">Which ceiling is the nearer one: arithmetic or memory.</param>
internal sealed record CaseTiming(
    string Name, double Seconds, int Rounds, double Gflops, double GigabytesPerSecond, double PercentOfCeiling, string Bound);

/// <summary>A case that can be timed; Prepare uploads its inputs and gives the call.</summary>
internal sealed record CaseTimer(string Name, double Flops, double Floats, Func<(IDisposable Owner, Action Call)> Prepare)
{
    private const int MaxRounds = 15;
    private const double Seconds = 0.4;

    /// <summary>
    /// Warms up, then times single calls from a cold cache until there are enough: by events on the device where it has them, else by the host's
    /// clock until the device has ended.
    /// </summary>
    internal CaseTiming Time(Device device, CacheFlush flush, Ceiling ceiling)
    {
        var (owner, call) = Prepare();
        using (owner)
        {
            double spent = 0;
            var times = new List<double>();

            // The first calls compile: kernels on a GPU, machine code in its tiers on the CPU.
            for (int i = 0; i < 2 || (spent < Seconds && i < 30); i++)
            {
                spent += Once(device, flush, call);
            }

            for (spent = 0; times.Count < 3 || (spent < Seconds && times.Count < MaxRounds);)
            {
                times.Add(Once(device, flush, call));
                spent += times[^1];
            }

            double median = times.Median(), arithmetic = ceiling.Flops > 0 ? Flops / ceiling.Flops : 0,
                memory = ceiling.Bytes > 0 ? 4 * Floats / ceiling.Bytes : 0;
            return new CaseTiming(
                Name, median, times.Count, Flops / median / 1e9, 4 * Floats / median / 1e9, 100 * Math.Max(arithmetic, memory) / median,
                    arithmetic > memory ? "arithmetic" : "memory");
        }
    }

    /// <summary>Which clock the times come from, for the printed header.</summary>
    internal static string Clock(Device device) => device is GpuDevice { HasEvents: true } ? "events on the device" : "the host's clock";

    private static double Once(Device device, CacheFlush flush, Action call)
    {
        flush.Run();
        if (device is GpuDevice { HasEvents: true } gpu)
        {
            // The call is queued while the flush still runs, so that its launches cost nothing.
            return gpu.Time(call);
        }

        device.Synchronize();
        long start = Stopwatch.GetTimestamp();
        call();
        device.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
