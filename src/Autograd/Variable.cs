using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// A value of a computation and, during the backward pass, its gradient. It is freed when its scope or its tape ends, or earlier by disposing of it.
/// Then the handle to the value is dropped: what the backward needs is kept by the operation that needs it, everything else returns to the pool at
/// once. The gradient is freed as the backward consumes it.
/// </summary>
public class Variable : IDisposable
{
    private readonly Tensor _value;
    private Tensor? _gradient;
    private Tensor? _gradientScale;

    internal Variable(Tensor value, bool requiresGradient)
    {
        _value = value;
        RequiresGradient = requiresGradient;
    }

    /// <summary>The value.</summary>
    /// <exception cref="ObjectDisposedException">The variable was freed.</exception>
    public Tensor Value => IsFreed ? throw Freed("value") : _value;

    /// <summary>The value's sizes, also after it was freed.</summary>
    public Shape Shape => _value.Shape;

    /// <summary>The tape that owns it; null for a parameter.</summary>
    public Tape? Tape => Frame?.Tape;

    /// <summary>Whether a gradient flows into it; false for inputs and frozen weights.</summary>
    public bool RequiresGradient { get; private protected set; }

    /// <summary>
    /// Gradient of the loss with respect to the value; null means zero so far. It is this variable's alone: what is written to it in place changes no
    /// other gradient.
    /// </summary>
    /// <exception cref="InputException">
    /// The device's memory is full: a gradient that was equal to another's, and shared, is copied when it is asked for.
    /// </exception>
    /// <exception cref="ObjectDisposedException">Somebody has disposed of it: it is the variable's, which <see cref="ClearGradient"/> frees it for.
    /// </exception>
    public Tensor? Gradient => SharedGradient is null ? null : GradientTarget(out _);

    /// <summary>The same to be read alone: equal gradients are one tensor until somebody writes.</summary>
    /// <exception cref="ObjectDisposedException">Its user has disposed of it.</exception>
    internal Tensor? SharedGradient
    {
        get => _gradient is { IsDisposed: true } ? throw DisposedGradient() : _gradient;
        private set => _gradient = value;
    }

    /// <summary>
    /// Whether the backward of what it comes from needs its gradient's scale (<see cref="StoredGradient"/>): an operation that writes the gradient
    /// may find it on the way.
    /// </summary>
    internal bool WantsGradientScale { get; set; }

    /// <summary>Whether the handle to the value was dropped.</summary>
    internal bool IsFreed { get; private set; }

    /// <summary>Whether it is the output of a recorded operation.</summary>
    internal bool IsRecorded { get; set; }

    /// <summary>The scope that owns it, or owned it.</summary>
    internal ScopeFrame? Frame { get; set; }

    /// <summary>The one made before it in its scope.</summary>
    internal Variable? Older { get; set; }

    /// <summary>The one made after it in its scope.</summary>
    internal Variable? Newer { get; set; }

    /// <summary>A buffer for a kernel to write the gradient into; accumulate says whether it must add.</summary>
    internal Tensor GradientTarget(out bool accumulate)
    {
        ForgetGradientScale();
        RequireOwner();
        accumulate = SharedGradient is not null;
        if (SharedGradient is null)
        {
            SharedGradient = _value.Device.Empty(_value.Shape);
        }
        else if (SharedGradient.Storage.References > 1)
        {
            // Shared with another variable's gradient (a residual's two branches): adding in place would change both.
            var own = SharedGradient.Clone();
            SharedGradient.Dispose();
            SharedGradient = own;
        }

        return SharedGradient;
    }

    /// <summary>
    /// Where the scale of the gradient goes, for the kernel that now writes <see cref="GradientTarget"/>: two floats, or nothing where nobody wants
    /// it. What is added to the gradient later makes it void.
    /// </summary>
    internal View GradientScaleTarget()
    {
        if (!WantsGradientScale)
        {
            return default;
        }

        ForgetGradientScale();
        return _gradientScale = _value.Device.Empty(new Shape(2));
    }

    /// <summary>The gradient's scale, which is the caller's from here; null where nobody has found it.</summary>
    internal Tensor? TakeGradientScale()
    {
        var scale = _gradientScale;
        _gradientScale = null;
        return scale;
    }

    /// <summary>A gradient buffer for kernels that always add: zeroed when new.</summary>
    internal Tensor GradientSum()
    {
        var target = GradientTarget(out bool accumulate);
        if (!accumulate)
        {
            target.Clear();
        }

        return target;
    }

    /// <summary>Adds a gradient that is somebody else's tensor of as many elements; shares it when it is the first.</summary>
    internal void AddGradient(Tensor gradient)
    {
        ForgetGradientScale();
        RequireOwner();
        if (SharedGradient is null)
        {
            SharedGradient = gradient.Reshape(_value.Shape.ToArray());
        }
        else
        {
            var target = GradientTarget(out _);
            KernelSet.For(target.Device).Elementwise.Add(target, gradient, target, target.Count);
        }
    }

    /// <summary>Frees the gradient: it counts as zero from here.</summary>
    public void ClearGradient()
    {
        _gradient?.Dispose();
        _gradient = null;
        ForgetGradientScale();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Drops the value's handle.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (IsFreed)
        {
            return;
        }

        IsFreed = true;
        Tape?.Forget(this);
        _value.Dispose();
    }

    private void ForgetGradientScale()
    {
        _gradientScale?.Dispose();
        _gradientScale = null;
    }

    // A freed variable of a tape hands its gradient on, and the tape frees it; a parameter's would be nobody's.
    private void RequireOwner()
    {
        if (IsFreed && this is Parameter)
        {
            throw Freed("backward");
        }
    }

    private ObjectDisposedException DisposedGradient() => new(
        nameof(Gradient), $"gradient {Shape}: it was disposed of, but belongs to its variable; expected ClearGradient, a step of the optimizer or "
        + "the end of the tape to free it");

    /// <summary>The error of using it after it was freed.</summary>
    internal ObjectDisposedException Freed(string operation) => new(
        nameof(Variable),
        this is Parameter
            ? $"{operation}: a parameter {Shape} is used after it, or the module that holds it, was disposed of"
            : $"{operation}: a variable {Shape} is used after it was freed: its scope or tape has ended, or it was disposed of; "
            + "Keep of its scope makes it live longer");
}
