using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Tokens of two values side by side.</summary>
public static class ConcatOp
{
    /// <summary>a [B, T, D], b [B, U, D] -> [B, T + U, D].</summary>
    public static Variable Concat(this Tape tape, Variable a, Variable b)
    {
        int batch = a.Shape[0], width = a.Shape[2], first = a.Shape[1], second = b.Shape[1];
        if (b.Shape[0] != batch || b.Shape[2] != width)
        {
            throw new ArgumentException($"concat: {a.Shape} and {b.Shape}");
        }

        var y = tape.Device.Empty(new Shape(batch, first + second, width));
        long stride = (long)(first + second) * width, na = (long)first * width, nb = (long)second * width;
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
