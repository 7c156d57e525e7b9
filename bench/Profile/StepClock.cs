using System.Diagnostics;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench.Profile;

/// <summary>Seconds of a step as a user sees them, before a profile adds its own to every call.</summary>
internal static class StepClock
{
    private const int Rounds = 7;

    internal static double Median(OurWork work) => Median(work.Run, work.Wait);

    internal static double Median(Device device, Action run) => Median(run, device.Synchronize);

    private static double Median(Action run, Action wait)
    {
        var times = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            wait();
            long start = Stopwatch.GetTimestamp();
            run();
            wait();
            times[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return times.Median();
    }
}
