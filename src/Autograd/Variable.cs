using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// A value of a computation and, during the backward pass, its gradient. Disposing it drops the handle to the value: what the backward needs is kept
/// by the operation that needs it, everything else returns to the pool at once. The gradient is freed as the backward consumes it.
/// </summary>
public class Variable : IDisposable
{
    internal Variable(Tensor value, bool requiresGradient)
    {
        Value = value;
        RequiresGradient = requiresGradient;
    }

    /// <summary>The value.</summary>
    public Tensor Value { get; }

    /// <summary>The value's sizes.</summary>
    public Shape Shape => Value.Shape;

    /// <summary>Whether a gradient flows into it; false for inputs and frozen weights.</summary>
    public bool RequiresGradient { get; private protected set; }

    /// <summary>Gradient of the loss with respect to the value; null means zero so far.</summary>
    public Tensor? Gradient { get; private set; }

    /// <summary>A buffer for a kernel to write the gradient into; accumulate says whether it must add.</summary>
    internal Tensor GradientTarget(out bool accumulate)
    {
        accumulate = Gradient is not null;
        if (Gradient is null)
        {
            Gradient = Value.Device.Empty(Value.Shape);
        }
        else if (Gradient.Storage.References > 1)
        {
            // Shared with another variable's gradient (a residual's two branches): adding in place would change both.
            var own = Gradient.Clone();
            Gradient.Dispose();
            Gradient = own;
        }

        return Gradient;
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
        if (Gradient is null)
        {
            Gradient = gradient.Reshape(Value.Shape.ToArray());
        }
        else
        {
            var target = GradientTarget(out _);
            Kernels.KernelSet.For(target.Device).Elementwise.Add(target, gradient, target, target.Count);
        }
    }

    /// <summary>Frees the gradient: it counts as zero from here.</summary>
    public void ClearGradient()
    {
        Gradient?.Dispose();
        Gradient = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Drops the value's handle.</summary>
    protected virtual void Dispose(bool disposing) => Value.Dispose();
}
