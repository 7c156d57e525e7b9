using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>A table of rows that are looked up by index, with PyTorch's initialisation: standard normal.</summary>
public sealed class Embedding : Module
{
    /// <summary>Creates weight [count, width].</summary>
    /// <param name="init">Where the initial values come from.</param>
    /// <param name="count">Number of rows, e.g. the vocabulary's size.</param>
    /// <param name="width">Length of a row.</param>
    /// <param name="std">Standard deviation of the initial values.</param>
    public Embedding(Initializer init, int count, int width, double std = 1)
    {
        ArgumentNullException.ThrowIfNull(init);
        Weight = Add("weight", init.Normal(new Shape(count, width), std));
    }

    /// <summary>[count, width].</summary>
    public Parameter Weight { get; }

    /// <summary>Rows by index.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="ids">Indices below the number of rows.</param>
    /// <param name="outer">Sizes whose product is the number of indices, e.g. batch and length; one dimension when absent.</param>
    /// <returns>[outer..., width].</returns>
    /// <exception cref="ArgumentException">An index is outside the table, or the sizes do not fit.</exception>
    public Variable Forward(Tape tape, ReadOnlySpan<int> ids, params ReadOnlySpan<int> outer) =>
        outer.IsEmpty ? tape.Embedding(Weight, ids, ids.Length) : tape.Embedding(Weight, ids, outer);
}
