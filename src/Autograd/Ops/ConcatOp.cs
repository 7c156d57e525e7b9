using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Tokens of two values side by side.</summary>
public static class ConcatOp
{
    private const string Name = "concat";

    /// <summary>a [B, T, D], b [B, U, D] -> [B, T + U, D].</summary>
    public static Variable Concat(this Tape tape, Variable a, Variable b)
    {
        Shape left = Guard.Floats(tape, Name, a, 3, "[B, T, D]"), right = Guard.Floats(tape, Name, b, 3, "[B, U, D]");
        int batch = left[0], width = left[2], first = left[1], second = right[1];
        Guard.Size(Name, right, 0, batch, "the batch of a", nameof(b));
        Guard.Size(Name, right, 2, width, "the width of a", nameof(b));
        int length = Guard.Sum(Name, first, second);
        var y = Guard.Result(tape, Name, new Shape(batch, length, width));
        long stride = (long)length * width, na = (long)first * width, nb = (long)second * width;
        tape.Kernels.Tokens.CopyBlocks(a.Value, na, y, stride, batch, na, false);
        tape.Kernels.Tokens.CopyBlocks(b.Value, nb, y.View.Shift(na), stride, batch, nb, false);
        var result = tape.Result(y, a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new ConcatNode(result, a, b));
        }

        return result;
    }

    private sealed class ConcatNode(Variable output, Variable a, Variable b) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int batch = dy.Shape[0], width = dy.Shape[2];
            long stride = (long)dy.Shape[1] * width, na = (long)a.Shape[1] * width, nb = (long)b.Shape[1] * width;
            if (a.RequiresGradient)
            {
                var da = a.GradientTarget(out bool accumulate);
                kernels.Tokens.CopyBlocks(dy, stride, da, na, batch, na, accumulate);
            }

            if (b.RequiresGradient)
            {
                var db = b.GradientTarget(out bool accumulate);
                kernels.Tokens.CopyBlocks(dy.View.Shift(na), stride, db, nb, batch, nb, accumulate);
            }
        }
    }
}
