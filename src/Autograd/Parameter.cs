using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>A weight: lives as long as its module. A frozen one gets no gradient, and nothing is kept for one.</summary>
public sealed class Parameter : Variable
{
    /// <summary>Takes ownership of the value.</summary>
    public Parameter(Tensor value, bool trainable = true)
        : base(value, trainable)
    {
    }

    /// <summary>Whether training changes it.</summary>
    public bool Trainable
    {
        get => RequiresGradient;
        set => RequiresGradient = value;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        ClearGradient();
        base.Dispose(disposing);
    }
}
