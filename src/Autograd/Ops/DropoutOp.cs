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
    public static Variable Dropout(this Tape tape, Variable x, float probability)
    {
        var shape = Guard.Floats(tape, Name, x);
        Guard.Dropped(Name, probability, shape);
        if (!tape.Recording || probability == 0f)
        {
            return tape.Share(x, Name);
        }

        ulong key = tape.NextDropoutKey();
        var y = Guard.Result(tape, Name, shape);
        tape.Kernels.Elementwise.Dropout(x.Value, y, probability, key, false, y.Count);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new DropoutNode(result, x, probability, key));
        }

        return result;
    }

    private sealed class DropoutNode(Variable output, Variable x, float probability, ulong key) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Dropout(dy, dx, probability, key, accumulate, dy.Count);
        }
    }
}
