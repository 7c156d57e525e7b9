using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>A weight: lives as long as its module. A frozen one gets no gradient, and nothing is kept for one.</summary>
public sealed class Parameter : Variable
{
    /// <summary>Takes ownership of the value, also when it refuses it.</summary>
    /// <exception cref="ArgumentNullException">There is no value.</exception>
    /// <exception cref="ArgumentException">Its elements are integers or float64: neither a gradient nor a file of weights would fit it.</exception>
    public Parameter(Tensor value, bool trainable = true)
        : base(Floats(value), trainable)
    {
    }

    /// <summary>
    /// Whether training changes it. For an operation that has run, what counts in the backward is what it was then.
    /// </summary>
    public bool Trainable
    {
        get => RequiresGradient;
        set
        {
            if (value)
            {
                Value.KeepInRows();
            }

            RequiresGradient = value;
        }
    }

    /// <summary>Whether it gets a gradient while the backward of one operation runs; its memory stays as it lies.</summary>
    internal void Want(bool gradient) => RequiresGradient = gradient;

    /// <summary>
    /// Keeps a frozen matrix, from its first product on, in the order in which the CPU's products read it: packing it anew for every product would
    /// cost a tenth of the time at 197 rows. Says whether it is kept so.
    /// </summary>
    internal bool KeepPacked() => !Trainable && Value.KeepInPanels();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        ClearGradient();
        base.Dispose(disposing);
    }

    private static Tensor Floats(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.DType is DType.Float32 or DType.BFloat16 or DType.Float16)
        {
            return value;
        }

        value.Dispose();
        throw new ArgumentException($"parameter: expected Float32, BFloat16 or Float16, got {value}; keep other elements as a tensor", nameof(value));
    }
}
