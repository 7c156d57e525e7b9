using Ldvc.Kernels;
using Ldvc.Kernels.Optimizer;
using Ldvc.Kernels.Reduction;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Optimizers;

/// <summary>AdamW (decoupled weight decay) over the trainable parameters of a model, as torch.optim.AdamW.</summary>
public sealed partial class AdamW : IDisposable
{
    // Nobody takes so many; one more is a number still.
    private const long MaxSteps = 1L << 62;

    private readonly List<State> _states = [];

    // Without moments: what is trained later was to be trained by another optimizer.
    private readonly List<(string Name, Parameter Parameter)> _frozen = [];
    private readonly List<AdamWTensor> _step = [];
    private readonly List<TensorPart> _gradients = [];

    // Whose gradients these are, in the same order.
    private readonly List<string> _names = [];
    private readonly float _beta1;
    private readonly float _beta2;
    private readonly float _epsilon;
    private bool _disposed;

    /// <summary>Creates zeroed moments for every trainable parameter.</summary>
    /// <param name="parameters">Names and parameters; frozen ones are left out, one that comes under several names counts once.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    /// <param name="weightDecay">Decay of a parameter by its name, at least 0.</param>
    /// <exception cref="ArgumentException">A number is out of its range, two parameters have one name, they are on several devices, one that is
    /// trainable is not float32, or none is trainable.</exception>
    /// <exception cref="InputException">A device's memory is full.</exception>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, float beta1, float beta2, float epsilon, Func<string, float> weightDecay)
    {
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && float.IsFinite(epsilon)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(beta1), $"adamw: expected betas of at least 0 and below 1 and epsilon > 0, got {beta1}, {beta2} and {epsilon}");
        }

        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(weightDecay);
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
        List<(string Name, Parameter Parameter)> trained = [];
        foreach (var (name, parameter) in parameters.DistinctBy(p => p.Parameter))
        {
            bool trainable = parameter?.Trainable ?? throw new ArgumentNullException(nameof(parameters), $"adamw: parameter '{name}' is null");
            (trainable ? trained : _frozen).Add((name, parameter));
        }

        if (trained.Count == 0)
        {
            throw new ArgumentException(
                $"adamw: expected at least 1 trainable parameter, got none and {_frozen.Count} frozen ones; SetTrainable(true) comes first",
                nameof(parameters));
        }

        if (trained.GroupBy(p => p.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
        {
            throw new ArgumentException(
                $"adamw: expected each name once, got '{twice}' for two parameters; module.Parameters(\"prefix.\") tells modules apart",
                nameof(parameters));
        }

        if (trained.Find(p => p.Parameter.Value.DType != DType.Float32) is { Parameter: { } stored } narrow)
        {
            throw new ArgumentException(
                $"adamw: expected trainable parameters of Float32, got '{narrow.Name}' {stored.Value}; 16 bits are for frozen ones",
                nameof(parameters));
        }

        if (trained.Find(p => p.Parameter.Value.Device != trained[0].Parameter.Value.Device) is { Parameter: { } other } elsewhere)
        {
            throw new ArgumentException(
                $"adamw: expected parameters on one device, got '{trained[0].Name}' on {trained[0].Parameter.Value.Device.Name} "
                + $"and '{elsewhere.Name}' on another, {other.Value.Device.Name}; each device takes an optimizer of its own",
                nameof(parameters));
        }

        try
        {
            foreach (var (name, parameter) in trained)
            {
                Add(name, parameter, weightDecay(name));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The same with one decay for all parameters, and PyTorch's defaults.</summary>
    /// <param name="parameters">Names and parameters, e.g. <c>module.Parameters()</c>; frozen ones are left out.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    /// <param name="weightDecay">Decay of every parameter, at least 0; times the learning rate at every step.</param>
    public AdamW(
        IEnumerable<(string Name, Parameter Parameter)> parameters,
        float beta1 = 0.9f,
        float beta2 = 0.999f,
        float epsilon = 1e-8f,
        float weightDecay = 0.01f)
        : this(parameters, beta1, beta2, epsilon, _ => weightDecay)
    {
    }

    /// <summary>Steps taken.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a number below 0 or above 2^62.</exception>
    public long Steps
    {
        get;
        set => field = value is >= 0 and <= MaxSteps
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"adamw: expected steps from 0 to 2^62, got {value}");
    }

    /// <summary>Both moments of every parameter by name, for checkpoints.</summary>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed of.</exception>
    public IEnumerable<(string Name, Tensor First, Tensor Second)> Moments
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (var state in _states)
            {
                yield return (state.Name, state.First, state.Second);
            }
        }
    }

    /// <summary>
    /// Looks for a gradient with NaN or infinity without the host waiting: found, an int32 [1] on the device or the place of one among floats,
    /// becomes 0, or a number that <see cref="NotFiniteName"/> turns into the parameter's name.
    /// </summary>
    internal void FindNotFiniteGradient(View found)
    {
        ListGradients();
        KernelSet.For(found.Storage.Device).Reduction.FindNotFinite(_gradients, found.As(DType.Int32));
    }

    /// <summary>The parameter that <see cref="FindNotFiniteGradient"/> found; null for 0.</summary>
    internal string? NotFiniteName(int found) => found == 0 ? null : _names[_gradients.Count - found];

    /// <summary>Name of the first parameter whose gradient holds NaN or infinity; null when all are finite.</summary>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed of.</exception>
    public string? FirstNonFiniteGradient()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (var state in _states)
        {
            if (state.Parameter.SharedGradient is { } gradient && !KernelSet.For(gradient.Device).Reduction.AllFinite(gradient, gradient.Count))
            {
                return state.Name;
            }
        }

        return null;
    }

    /// <summary>Euclidean norm of all gradients together.</summary>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed of.</exception>
    public double GradientNorm()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        double sum = 0;
        foreach (var state in _states)
        {
            if (state.Parameter.SharedGradient is { } gradient)
            {
                sum += KernelSet.For(gradient.Device).Reduction.SumOfSquares(gradient, gradient.Count);
            }
        }

        return Math.Sqrt(sum);
    }

    /// <summary>
    /// Updates every parameter that has a gradient, and clears it. A parameter without one (the last decoder layer's unused half) stays as it is,
    /// without decay, as in PyTorch. Bias correction counts the optimizer's steps, also for a parameter that had no gradient in some of them (PyTorch
    /// counts a parameter's own steps; parameters of these models have a gradient always or never).
    /// </summary>
    /// <param name="learningRate">At least 0.</param>
    /// <param name="gradientScale">Gradients count times this.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is negative, or one of the numbers is NaN or infinite.</exception>
    /// <exception cref="InvalidOperationException">A parameter that was frozen when the optimizer was made has a gradient now.</exception>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed of.</exception>
    public void Step(float learningRate, float gradientScale = 1f)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Update(Numbers(learningRate, gradientScale), stored: false);
        ClearGradients();
        Steps++;
    }

    /// <summary>The numbers of the step that comes next.</summary>
    /// <inheritdoc cref="Step" path="/exception"/>
    internal AdamWStep Numbers(float learningRate, float gradientScale)
    {
        if (!(learningRate >= 0 && float.IsFinite(learningRate)))
        {
            throw new ArgumentOutOfRangeException(nameof(learningRate), $"adamw: expected a learning rate of at least 0, got {learningRate}");
        }

        if (!float.IsFinite(gradientScale))
        {
            throw new ArgumentOutOfRangeException(nameof(gradientScale), $"adamw: expected a finite scale of the gradients, got {gradientScale}");
        }

        return new AdamWStep(learningRate, _beta1, _beta2, _epsilon, Steps + 1, gradientScale);
    }

    /// <summary>
    /// What <see cref="Step"/> does on the device; whoever calls it clears the gradients and counts the step once it is sure that the device does it.
    /// When stored, a GPU finds the numbers in its <see cref="StepState"/>.
    /// </summary>
    internal void Update(in AdamWStep step, bool stored)
    {
        foreach (var (name, parameter) in _frozen)
        {
            if (parameter is { Trainable: true, SharedGradient: not null })
            {
                throw new InvalidOperationException($"adamw: parameter '{name}' {parameter.Shape} has a gradient, but was frozen when the optimizer "
                    + "was made; expected an optimizer that is made after SetTrainable(true)");
            }
        }

        _step.Clear();
        foreach (var each in _states)
        {
            if (each.Parameter.SharedGradient is { } gradient)
            {
                _step.Add(new AdamWTensor(each.Parameter.Value, gradient, each.First, each.Second, gradient.Count, each.WeightDecay));
                each.Parameter.Value.Storage.NoteWrite();
            }
        }

        if (_step.Count > 0)
        {
            KernelSet.For(_states[0].First.Device).Optimizer.AdamW(_step, step, stored);
        }
    }

    /// <summary>
    /// Gives every gradient a block of its own. Those of joined maps lie in one until something is added to them; from here on, adding writes to the
    /// same place every time and copies nothing.
    /// </summary>
    internal void OwnGradients()
    {
        foreach (var state in _states)
        {
            if (state.Parameter.SharedGradient is not null)
            {
                state.Parameter.GradientTarget(out _);
            }
        }
    }

    /// <summary>Frees all gradients.</summary>
    internal void ClearGradients()
    {
        foreach (var state in _states)
        {
            state.Parameter.ClearGradient();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (var state in _states)
        {
            state.First.Dispose();
            state.Second.Dispose();
        }
    }

    private void Add(string name, Parameter parameter, float decay)
    {
        if (!(decay >= 0 && float.IsFinite(decay)))
        {
            throw new ArgumentOutOfRangeException(nameof(decay), $"adamw: expected a weight decay of at least 0 for '{name}', got {decay}");
        }

        var device = parameter.Value.Device;
        var first = device.Zeros(parameter.Shape);
        try
        {
            _states.Add(new State(name, parameter, first, device.Zeros(parameter.Shape), decay));
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    private void ListGradients()
    {
        _gradients.Clear();
        _names.Clear();
        foreach (var state in _states)
        {
            if (state.Parameter.SharedGradient is { } gradient)
            {
                _gradients.Add(new TensorPart(gradient, gradient.Count));
                _names.Add(state.Name);
            }
        }
    }

    private sealed record State(string Name, Parameter Parameter, Tensor First, Tensor Second, float WeightDecay);
}
