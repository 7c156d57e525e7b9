using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu.Graphs;

/// <summary>
/// The steps of one shape, each in parts with names; disposing of it ends a step, not the graphs. A part that comes several times in a step queues
/// the same work each time. Objects of the host that a part leaves for the next one (gradients) exist in the step that is captured, and in no later
/// one.
/// </summary>
internal sealed class GraphedStep : IDisposable
{
    private readonly StepGraphs _owner;
    private readonly GpuDevice? _device;
    private readonly int _plain;
    private readonly Dictionary<string, CapturedPart> _parts = [];
    private readonly Dictionary<string, UploadLog> _uploads = [];
    private readonly List<IDisposable> _results = [];
    private IGraphDriver? _driver;
    private PoolHold? _hold;
    private long _steps;
    private long _allocations;
    private long _launches;
    private int _failures;
    private bool _running;
    private bool _capturing;
    private bool _complete;
    private bool _lost;

    internal GraphedStep(StepGraphs owner, GpuDevice? device, IGraphDriver? driver, int plain)
    {
        (_owner, _device, _driver, _plain) = (owner, device, driver, plain);
    }

    /// <summary>Whether parts are started as graphs.</summary>
    internal bool HasGraphs => _parts.Count > 0;

    /// <summary>
    /// Runs a part, or captures and starts it, or starts what was captured. The result of a part that is started again is the one of its capture:
    /// tensors in it have the new values. It is disposed of by this, at the latest when the next part begins.
    /// </summary>
    /// <param name="part">Its name.</param>
    /// <param name="body">Queues the work.</param>
    /// <param name="undo">Undoes what a body that could not be captured changed on the host; the body runs once more then.</param>
    /// <exception cref="InputException">It cannot be captured and must be, or the driver cannot start it.</exception>
    /// <exception cref="InvalidOperationException">Other parts of the step were captured before, this one was not.</exception>
    internal T Run<T>(string part, Func<T> body, Action undo)
        where T : class, IDisposable
    {
        Free();
        if (_parts.TryGetValue(part, out var known))
        {
            return (T)Launch(known);
        }

        if (_capturing && Capture(part, body, undo) is { } captured)
        {
            return (T)captured.Result;
        }

        if (HasGraphs)
        {
            throw new InvalidOperationException($"graph of a step: part '{part}' was not captured with the others");
        }

        T result = RunPlain(part, body);
        _results.Add(result);
        return result;
    }

    /// <summary>Begins a step: after some that asked the device for no more memory, it is captured.</summary>
    /// <exception cref="InputException">Its graphs were given up for good since the last one, and must not be.</exception>
    internal void Begin()
    {
        if (_lost)
        {
            _lost = false;
            _owner.Failed($"memory was short {StepGraphs.MaxAttempts} times, and graphs keep that of a step to themselves");
        }

        _running = true;
        if (_driver is null || HasGraphs)
        {
            return;
        }

        long allocations = _device!.Pool.DeviceAllocations;
        _capturing = _steps >= _plain && allocations == _allocations;
        (_allocations, _launches) = (allocations, 0);
        _steps++;
    }

    /// <summary>
    /// Says that all parts of the step have run. Those of one that ends without are not the whole work: nothing is kept of its capture.
    /// </summary>
    internal void Complete() => _complete = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        if (_capturing && HasGraphs && _complete)
        {
            _owner.Captured(_launches);
        }
        else if (_capturing)
        {
            Drop();
        }

        (_running, _capturing, _complete) = (false, false, false);
    }

    /// <summary>Frees the graphs, also those that still run, and lets their memory go: what is queued next may use it.</summary>
    internal void Drop()
    {
        foreach (var part in _parts.Values)
        {
            part.Dispose();
        }

        _parts.Clear();
        if (_hold is not null)
        {
            _device!.Pool.Release(_hold);
            _hold = null;
        }
    }

    /// <summary>Between steps, drops the graphs for their memory's sake, to be captured anew; says whether there were any.</summary>
    internal bool GiveBack()
    {
        if (_running || !HasGraphs)
        {
            return false;
        }

        _device!.Synchronize();
        Drop();
        if (++_failures >= StepGraphs.MaxAttempts)
        {
            // Said when a step begins: whoever asks for memory here has nothing to do with steps.
            (_driver, _lost) = (null, true);
        }

        return true;
    }

    // What a part left that ran as it is.
    private void Free()
    {
        foreach (var result in _results)
        {
            result.Dispose();
        }

        _results.Clear();
    }

    private IDisposable Launch(CapturedPart part)
    {
        try
        {
            return part.Launch(_device!);
        }
        catch (GraphException e)
        {
            throw new InputException(
                $"{_device!.Name}: the graph of a step cannot be started: {e.Message}; train.cuda_graph=off runs steps without one", e);
        }
    }

    private T RunPlain<T>(string part, Func<T> body)
    {
        if (_driver is null)
        {
            return body();
        }

        // The last step's copies are what a capture's are compared with.
        _device!.Uploads = _uploads[part] = new UploadLog();
        try
        {
            return body();
        }
        finally
        {
            _device.Uploads = null;
        }
    }

    private CapturedPart? Capture<T>(string part, Func<T> body, Action undo)
        where T : class, IDisposable
    {
        _hold ??= _device!.Pool.NewHold();
        var capture = new GpuCapture(_device!, _hold);
        IDisposable? result = null;
        IDeviceGraph? graph = null;
        long before = _device!.Counters.LaunchCount;
        bool done = false;
        try
        {
            graph = Record(capture, () => result = body(), part);
            capture.Settle();
            var captured = new CapturedPart(graph, capture, result!);
            captured.Launch(_device);
            _parts.Add(part, captured);
            _launches += _device.Counters.LaunchCount - before;
            done = true;
            return captured;
        }
        catch (Exception e) when (e is GraphException or AcceleratorException)
        {
            // Cleared up here: what Fail does may need the memory. Earlier parts of this step have run, and what they left is the caller's no more.
            Clear();
            undo();
            Fail(part, e);
            return null;
        }
        finally
        {
            if (!done)
            {
                Clear();
            }
        }

        void Clear()
        {
            graph?.Dispose();
            result?.Dispose();
            capture.Release();
        }
    }

    // Whatever ends it, the device captures no more afterwards.
    private IDeviceGraph Record(GpuCapture capture, Action body, string part)
    {
        var uploads = new UploadLog();
        _driver!.Begin();
        bool whole = false;
        try
        {
            (_device!.Capture, _device.Uploads) = (capture, uploads);
            _device.Pool.Open(_hold!);
            body();
            if (_uploads.TryGetValue(part, out var usual) && usual.Difference(uploads) is { } difference)
            {
                throw new GraphException(difference);
            }

            whole = true;
        }
        finally
        {
            _device!.Pool.CloseHold();
            (_device.Capture, _device.Uploads) = (null, null);
            if (!whole)
            {
                _driver.Abandon();
            }
        }

        return _driver.End();
    }

    // This step goes on as it is, in the memory of its graphs too. What was missing is asked for before they go and stays in the pool: the next try
    // finds it. Where the device has no more, steps fit without graphs alone.
    private void Fail(string part, Exception e)
    {
        _capturing = false;
        long missing = (e as GraphException)?.Bytes ?? 0;
        bool again = missing > 0 && ++_failures < StepGraphs.MaxAttempts, room = !again || Reserve(missing);
        Drop();
        if (!again || !room)
        {
            _driver = null;
            _owner.Failed($"{part}: {e.Message}{(room ? "" : ", and has no more")}");
        }
    }

    private bool Reserve(long bytes)
    {
        try
        {
            Storage room = _device!.Pool.Rent(bytes);
            room.Release();
            return true;
        }
        catch (DeviceMemoryException)
        {
            return false;
        }
    }
}
