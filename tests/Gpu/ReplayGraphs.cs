using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// Stands in for a driver's graphs on any device: a capture takes launches, copies and clearings down with their arguments and buffers and runs none,
/// a launch of the graph issues exactly those again.
/// </summary>
internal sealed class ReplayGraphs(GpuDevice device) : IGraphDriver
{
    private readonly GpuLauncher _launcher = KernelSet.For(device).Launcher!;
    private List<Action>? _taken;
    private Action<GpuLaunch>? _recorder;
    private Action<GpuLaunch, Action>? _watch;
    private int _ends;

    public string? Missing { get; init; }

    /// <summary>The end of a capture that fails, counted from 1; 0 for none.</summary>
    internal int FailingEnd { get; init; }

    /// <summary>How it fails.</summary>
    internal Exception Failure { get; init; } = new GraphException("the driver ended the capture");

    /// <summary>Captures that ended well.</summary>
    internal int Captures { get; private set; }

    /// <summary>Graphs that were started.</summary>
    internal int Launches { get; private set; }

    /// <summary>Graphs that were not disposed of.</summary>
    internal int Live { get; private set; }

    /// <summary>Launches and copies of all captures.</summary>
    internal int Taken { get; private set; }

    public void Begin()
    {
        var taken = _taken = [];
        (_recorder, _watch) = (_launcher.Recorder, _launcher.Watch);
        if (_recorder is { } run)
        {
            _launcher.Recorder = launch => taken.Add(() => run(launch));
        }
        else
        {
            _launcher.Watch = (_, launch) => taken.Add(launch);
        }

        device.CopyWatch = taken.Add;
    }

    public IDeviceGraph End()
    {
        var taken = _taken!;
        Abandon();
        if (++_ends == FailingEnd)
        {
            throw Failure;
        }

        Captures++;
        Live++;
        Taken += taken.Count;
        return new Graph(this, taken);
    }

    public void Abandon()
    {
        (_launcher.Recorder, _launcher.Watch, device.CopyWatch, _taken) = (_recorder, _watch, null, null);
    }

    private sealed class Graph(ReplayGraphs owner, List<Action> queued) : IDeviceGraph
    {
        public void Launch()
        {
            owner.Launches++;
            queued.ForEach(queue => queue());
        }

        public void Dispose() => owner.Live--;
    }
}
