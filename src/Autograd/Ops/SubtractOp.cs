using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Difference of two values.</summary>
public static class SubtractOp
{
    /// <summary>a - b, with NumPy's broadcasting.</summary>
    public static Variable Subtract(this Tape tape, Variable a, Variable b)
    {
        var result = tape.Result(Broadcasting.Apply<Subtract>(tape, "subtract", a, b), a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new SubtractNode(result, a, b));
        }

        return result;
    }

    /// <summary>x - value.</summary>
    public static Variable Subtract(this Tape tape, Variable x, float value) => tape.Subtract(x, Broadcasting.Scalar(tape, value));

    /// <summary>value - x.</summary>
    public static Variable Subtract(this Tape tape, float value, Variable x) => tape.Subtract(Broadcasting.Scalar(tape, value), x);

    private sealed class SubtractNode(Variable output, Variable a, Variable b) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (a.RequiresGradient)
            {
                Broadcasting.AddGradient(kernels, a, dy);
            }

            if (b.RequiresGradient)
            {
                Broadcasting.AddGradient(kernels, b, dy, -1);
            }
        }
    }
}
