using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Multiplication by a constant.</summary>
public static class ScaleOp
{
    private const string Name = "scale";

    /// <summary>factor * x.</summary>
    public static Variable Scale(this Tape tape, Variable x, float factor)
    {
        var shape = Guard.Floats(tape, Name, x);
        Guard.Finite(Name, factor, shape);
        var y = Guard.Result(tape, Name, shape);
        tape.Kernels.Elementwise.Scale(x.Value, factor, y, false, y.Count);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new ScaleNode(result, x, factor));
        }

        return result;
    }

    private sealed class ScaleNode(Variable output, Variable x, float factor) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Scale(dy, factor, dx, accumulate, dy.Count);
        }
    }
}
