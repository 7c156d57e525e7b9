using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Dropout with a counter-based mask: the backward draws the same mask again, nothing is stored.</summary>
public static class DropoutOp
{
    private const string Name = "dropout";

    /// <summary>
    /// x with elements zeroed with the given probability, at least 0 and below 1, and the others scaled up; x's values under a handle of their own when the
    /// tape does not record or p is 0.
    /// </summary>
    public static Variable Dropout(this Tape tape, Variable x, float probability) => Dropout(tape, x, probability, shared: false);

    /// <summary>The same for what a batch shares.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Values.</param>
    /// <param name="probability">At least 0 and below 1.</param>
    /// <param name="shared">Whether x has no dimension of pictures, so that its mask is one for the whole batch; else the first dimension is taken for it.</param>
    internal static Variable Dropout(this Tape tape, Variable x, float probability, bool shared)
    {
        var shape = Guard.Floats(tape, Name, x);
        Guard.Dropped(Name, probability, shape);
        if (!tape.Recording || probability == 0f)
        {
            return tape.Share(x, Name);
        }

        ulong key = tape.NextDropoutKey();
        long first = shared || shape.Rank == 0 || shape[0] == 0 ? 0 : tape.FirstRow * (shape.Count / shape[0]);
        var y = Guard.Result(tape, Name, shape);
        tape.Kernels.Elementwise.Dropout(x.Value, y, probability, key, false, y.Count, first);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new DropoutNode(result, x, probability, key, first));
        }

        return result;
    }

    private sealed class DropoutNode(Variable output, Variable x, float probability, ulong key, long first) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Dropout(dy, dx, probability, key, accumulate, dy.Count, first);
        }
    }
}
