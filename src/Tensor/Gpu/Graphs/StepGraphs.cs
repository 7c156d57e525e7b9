namespace Ldvc.Tensors.Gpu.Graphs;

/// <summary>
/// Turns steps that queue the same work again and again into graphs. The first steps run as they are: kernels are compiled, memory is asked for. Then
/// the parts of a step are captured, one after the other, and later steps start each part with one call. Everything that changes from step to step
/// must lie in device memory that is written between the parts; what happens in a part and cannot be repeated (memory asked for, waiting, reading,
/// other values copied from the host) ends the capture with a sentence, and the step runs as before.
/// </summary>
internal sealed class StepGraphs : IDisposable
{
    /// <summary>Steps of a shape that run before one is captured.</summary>
    internal const int WarmUp = 3;

    /// <summary>Shapes that have graphs of their own.</summary>
    internal const int MaxShapes = 4;

    /// <summary>Captures of a shape that may fail, or be given up for memory, before it runs without.</summary>
    internal const int MaxAttempts = 3;

    private readonly GpuDevice? _device;
    private readonly IGraphDriver? _driver;
    private readonly bool _required;
    private readonly Action<string> _say;
    private readonly Dictionary<string, GraphedStep> _steps = [];
    private bool _saidCaptured;
    private bool _saidShapes;

    /// <summary>Graphs of a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="driver">What captures; null for nothing: every step runs as it is.</param>
    /// <param name="required">Whether a step that cannot be captured is an error.</param>
    /// <param name="say">Gets a sentence about what happens.</param>
    internal StepGraphs(Device device, IGraphDriver? driver, bool required, Action<string> say)
    {
        (_device, _driver, _required, _say) = (driver is null ? null : (GpuDevice)device, driver, required, say);
        if (_device is not null)
        {
            _device.Pool.Reclaim = GiveBack;
        }
    }

    /// <summary>Whether steps may be captured: they should then compute on tensors that stay where they are.</summary>
    internal bool IsActive => _driver is not null;

    /// <summary>Steps that run before a shape is captured; another number for tests.</summary>
    internal int Plain { get; init; } = WarmUp;

    /// <summary>Begins a step.</summary>
    /// <param name="shape">What the work depends on, such as the inputs' sizes: steps of other shapes have other graphs.</param>
    /// <exception cref="InputException">It can have no graph, and must have one.</exception>
    internal GraphedStep Begin(string shape)
    {
        if (!_steps.TryGetValue(shape, out var step))
        {
            bool few = _driver is null || _steps.Count < MaxShapes;
            step = new GraphedStep(this, few ? _device : null, few ? _driver : null, Plain);
            if (few)
            {
                _steps.Add(shape, step);
            }
            else if (!_saidShapes)
            {
                _saidShapes = true;
                Report($"{_device!.Name}: steps of {shape} run without a CUDA graph: {MaxShapes} other shapes have one each");
            }
        }

        step.Begin();
        return step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var step in _steps.Values)
        {
            step.Dispose();
            step.Drop();
        }

        _steps.Clear();
        if (_device?.Pool.Reclaim == GiveBack)
        {
            _device.Pool.Reclaim = null;
        }
    }

    /// <summary>A step was captured.</summary>
    internal void Captured(long launches)
    {
        if (!_saidCaptured)
        {
            _saidCaptured = true;
            _say($"{_device!.Name}: the {launches} kernels of a step are started as a CUDA graph from now on");
        }
    }

    /// <summary>Steps go on without.</summary>
    /// <exception cref="InputException">They must not.</exception>
    internal void Failed(string reason) => Report($"{_device!.Name}: steps run without a CUDA graph: {reason}");

    private void Report(string sentence)
    {
        if (_required)
        {
            throw new InputException($"train.cuda_graph is on, but {sentence}");
        }

        _say(sentence);
    }

    // Memory is short. A capture asks for none.
    private bool GiveBack()
    {
        bool any = false;
        if (_device!.Capture is null)
        {
            foreach (var step in _steps.Values)
            {
                any |= step.GiveBack();
            }
        }

        return any;
    }
}
