using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Sum of two values. Where nothing is repeated, both gradients are the output's, shared, not copied.</summary>
public static class AddOp
{
    /// <summary>a + b, with NumPy's broadcasting.</summary>
    public static Variable Add(this Tape tape, Variable a, Variable b)
    {
        var result = tape.Result(Sum(tape, a, b), a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new AddNode(result, a, b));
        }

        return result;
    }

    /// <summary>x + value.</summary>
    public static Variable Add(this Tape tape, Variable x, float value) => tape.Add(x, Broadcasting.Scalar(tape, value));

    private static Tensor Sum(Tape tape, Variable a, Variable b)
    {
        if (Guard.Floats(tape, "add", a) != Guard.Floats(tape, "add", b))
        {
            return Broadcasting.Apply<Add>(tape, "add", a, b);
        }

        var y = tape.Rent(a.Shape);
        tape.Kernels.Elementwise.Add(a.Value, b.Value, y, y.Count);
        return y;
    }

    private sealed class AddNode(Variable output, Variable a, Variable b) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (a.RequiresGradient)
            {
                Broadcasting.AddGradient(kernels, a, dy);
            }

            if (b.RequiresGradient)
            {
                Broadcasting.AddGradient(kernels, b, dy);
            }
        }
    }
}
