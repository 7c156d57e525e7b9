using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Dropout with a counter-based mask: the backward draws the same mask again, nothing is stored.</summary>
public static class DropoutOp
{
    /// <summary>x with elements zeroed with the given probability and the others scaled up; x itself when the tape does not record or p is 0.</summary>
    public static Variable Dropout(this Tape tape, Variable x, float probability)
    {
        if (!tape.Recording || probability == 0f)
        {
            return x;
        }

        ulong key = tape.NextDropoutKey();
        var y = tape.Device.Empty(x.Shape);
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
