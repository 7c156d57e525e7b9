using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Sum of two values of one shape: both gradients are the output's, shared, not copied.</summary>
public static class AddOp
{
    private const string Name = "add";

    /// <summary>a + b.</summary>
    public static Variable Add(this Tape tape, Variable a, Variable b)
    {
        Guard.Same(Name, Guard.Floats(tape, Name, a), Guard.Floats(tape, Name, b), "a", "b");
        var y = Guard.Result(tape, Name, a.Shape);
        tape.Kernels.Elementwise.Add(a.Value, b.Value, y, y.Count);
        var result = tape.Result(y, a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new AddNode(result, a, b));
        }

        return result;
    }

    private sealed class AddNode(Variable output, Variable a, Variable b) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (a.RequiresGradient)
            {
                a.AddGradient(dy);
            }

            if (b.RequiresGradient)
            {
                b.AddGradient(dy);
            }
        }
    }
}
