using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Dropout with a counter-based mask: the backward draws the same mask again, nothing is stored.</summary>
public static class DropoutOp
{
    private const string Name = "dropout";

    /// <summary>
    /// x with elements zeroed with the given probability, at least 0 and below 1, and the others scaled up; x's values under a handle of their own
    /// when the tape does not record or p is 0.
    /// </summary>
    public static Variable Dropout(this Tape tape, Variable x, float probability) => Dropout(tape, x, probability, shared: false);

    /// <summary>The same for what a batch shares.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Values.</param>
    /// <param name="probability">At least 0 and below 1.</param>
    /// <param name="shared">Whether x has no dimension of pictures, so that its mask is one for the whole batch; else the first dimension is taken
    /// for it.</param>
    internal static Variable Dropout(this Tape tape, Variable x, float probability, bool shared)
    {
        Guard.Floats(tape, Name, x);
        return Run(tape, x, probability, 1, shared);
    }

    /// <summary>
    /// The dropout of each slice of the outermost dimension, one after the other, of what a batch shares: the same elements are dropped, in one pass.
    /// </summary>
    internal static Variable DropoutEach(this Tape tape, Variable x, float probability)
    {
        var shape = Guard.Floats(tape, Name, x);
        return Run(tape, x, probability, Guard.NotEmpty(Name, shape, 0, nameof(x)), shared: true);
    }

    private static Variable Run(Tape tape, Variable x, float probability, int slices, bool shared)
    {
        var shape = x.Shape;
        Guard.Dropped(Name, probability, shape);
        if (!tape.Recording || probability == 0f)
        {
            return tape.Share(x, Name);
        }

        var key = tape.NextDropoutKey(slices);
        long first = shared || shape.Rank == 0
            || shape[0] == 0 ? 0 : tape.FirstRow * (shape.Count / shape[0]), block = slices == 1 ? 0 : shape.Count / slices;
        var y = Guard.Result(tape, Name, shape);
        tape.Kernels.Elementwise.Dropout(x.Value, y, probability, key, false, y.Count, first, block);
        var result = tape.Result(y, x, Name);
        if (result.RequiresGradient)
        {
            tape.Record(new DropoutNode(result, x, probability, key, first, block));
        }

        return result;
    }

    private sealed class DropoutNode(Variable output, Variable x, float probability, DropoutKey key, long first, long block) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Dropout(dy, dx, probability, key, accumulate, dy.Count, first, block);
        }
    }
}
