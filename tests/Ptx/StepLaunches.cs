using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Ptx;

/// <summary>
/// The launches of a steady training step of LDVC on ViT-B/16 at 512 x 512, in the order in which a card would get them: recorded on the simulator
/// and not run. Which kernels run depends on sizes, precision and multiprocessors, so all are the real ones.
/// </summary>
/// <param name="All">The launches with the phase that each belongs to.</param>
/// <param name="Counted">What the device's counter says.</param>
internal sealed record StepLaunches(IReadOnlyList<(string Phase, GpuLaunch Launch)> All, long Counted)
{
    /// <summary>Records a step.</summary>
    /// <param name="precision">Of products.</param>
    /// <param name="batch">Pictures.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="multiprocessors">Of the card.</param>
    /// <param name="seen">Told of each launch of that step while the device is there: what an argument names can be read.</param>
    internal static StepLaunches Record(Precision precision, int batch, int classes, int multiprocessors, Action<GpuLaunch>? seen = null)
    {
        // Memory in buffers as large as a card's, of which tables of tensors name eight at most.
        using var device = GpuPlatform.Open(GpuKind.Simulator, 0, chunkBytes: 256L << 20);
        var launcher = KernelSet.For(device).Launcher!;
        launcher.Multiprocessors = multiprocessors;
        device.Precision = precision;
        var launches = new List<(string Phase, GpuLaunch Launch)>();
        int marked = 0;
        bool steady = false;
        launcher.Recorder = launch =>
        {
            launches.Add((string.Empty, launch));
            if (steady)
            {
                seen?.Invoke(launch);
            }
        };
        using var system = new PtxSystem(device, batch, classes);

        // What is computed once for all steps is computed in the first one.
        system.Train();
        launches.Clear();
        steady = true;
        long before = device.Counters.LaunchCount;
        system.Train(phase =>
        {
            for (; marked < launches.Count; marked++)
            {
                launches[marked] = (phase, launches[marked].Launch);
            }
        });
        return new StepLaunches(launches, device.Counters.LaunchCount - before);
    }

    /// <summary>Launches by phase, in the order of the phases.</summary>
    internal IEnumerable<(string Phase, int Count)> ByPhase => All.GroupBy(l => l.Phase).Select(g => (g.Key, g.Count()));

    /// <summary>Launches of a phase, or of all, by kernel, the most frequent first.</summary>
    internal IEnumerable<(string Kernel, int Count)> ByKernel(string? phase = null) =>
        All.Where(l => phase is null || l.Phase == phase).GroupBy(l => l.Launch.Kernel.Name).Select(g => (g.Key, g.Count()))
            .OrderByDescending(g => g.Item2);
}
