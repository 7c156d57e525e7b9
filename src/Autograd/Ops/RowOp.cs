using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>One slice of the outermost dimension, sharing the memory: layer i's prompts out of [L, M, D].</summary>
public static class RowOp
{
    private const string Name = "row";

    /// <summary>x [L, ...] -> x[index] of shape [...].</summary>
    public static Variable Row(this Tape tape, Variable x, int index)
    {
        var shape = Guard.Floats(tape, Name, x);
        if (shape.Rank == 0)
        {
            throw new ArgumentException($"{Name}: x must be [L, ...], got {shape}");
        }

        Guard.Between(Name, index, 0, shape[0] - 1, shape);
        using var slice = x.Value.Slice(index, 1);
        var result = tape.Result(slice.Reshape(shape.ToArray().AsSpan(1)), x);
        if (result.RequiresGradient)
        {
            tape.Record(new RowNode(result, x, index));
        }

        return result;
    }

    private sealed class RowNode(Variable output, Variable x, int index) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            using var target = x.GradientSum().Slice(index, 1);
            kernels.Elementwise.Add(target, dy, target, dy.Count);
        }
    }
}
