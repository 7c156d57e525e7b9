using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>A choice between two values, element by element.</summary>
public static class WhereOp
{
    /// <summary>
    /// a where the mask is not zero, b elsewhere, with NumPy's broadcasting of all three. What is not chosen does not show, whatever it is (infinity,
    /// NaN), and gets no gradient; neither does the mask.
    /// </summary>
    public static Variable Where(this Tape tape, Variable mask, Variable a, Variable b)
    {
        Shape m = Guard.Floats(tape, "where", mask), first = Guard.Floats(tape, "where", a), second = Guard.Floats(tape, "where", b);
        var shape = Broadcasting.ShapeOf("where", m, Broadcasting.ShapeOf("where", first, second));
        var y = Guard.Result(tape, "where", shape);
        tape.Kernels.Elementwise.Binary<Keep>(mask.Value, a.Value, y, false, BroadcastLayout.Of(shape, m, first));
        tape.Kernels.Elementwise.Binary<Drop>(mask.Value, b.Value, y, true, BroadcastLayout.Of(shape, m, second));
        var result = tape.Result(y, a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new WhereNode(result, mask, a, b));
        }

        return result;
    }

    private sealed class WhereNode : Node
    {
        private readonly Variable _a;
        private readonly Variable _b;
        private readonly Tensor _mask;

        internal WhereNode(Variable output, Variable mask, Variable a, Variable b)
            : base(output)
        {
            (_a, _b) = (a, b);
            _mask = Save(mask.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_a.RequiresGradient)
            {
                Broadcasting.AddGradient<Keep>(kernels, _a, dy.Shape, _mask, dy);
            }

            if (_b.RequiresGradient)
            {
                Broadcasting.AddGradient<Drop>(kernels, _b, dy.Shape, _mask, dy);
            }
        }
    }
}
