namespace Ldvc.Tensors.Gpu.Graphs;

/// <summary>A part of a step that is started as a graph, with the memory that it names and what it leaves there.</summary>
internal sealed class CapturedPart(IDeviceGraph graph, GpuCapture capture, IDisposable result) : IDisposable
{
    /// <summary>What the part's body gave when it was captured.</summary>
    internal IDisposable Result => result;

    /// <summary>Starts it, and gives the result.</summary>
    internal IDisposable Launch(GpuDevice device)
    {
        using var turn = device.Turn.Enter();
        graph.Launch();
        device.Counters.CountGraph();
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        graph.Dispose();
        result.Dispose();
        capture.Release();
    }
}
