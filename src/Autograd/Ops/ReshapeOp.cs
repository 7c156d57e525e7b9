using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>The same values under another shape; nothing is copied either way.</summary>
public static class ReshapeOp
{
    private const string Name = "reshape";

    /// <summary>x, of any element type, with the given sizes.</summary>
    public static Variable Reshape(this Tape tape, Variable x, params ReadOnlySpan<int> sizes)
    {
        var from = Guard.Any(tape, Name, x);
        var to = Guard.Sizes(Name, sizes, from);
        if (from.Count != to.Count)
        {
            throw new ArgumentException($"{Name}: x {from} has {from.Count} elements, {to} has {to.Count}");
        }

        var result = tape.Result(x.Value.Reshape(sizes), x);
        if (result.RequiresGradient)
        {
            tape.Record(new ReshapeNode(result, x));
        }

        return result;
    }

    private sealed class ReshapeNode(Variable output, Variable x) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy) => x.AddGradient(dy);
    }
}
