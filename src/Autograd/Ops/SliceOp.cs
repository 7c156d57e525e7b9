using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>A range of indices of an axis.</summary>
public static class SliceOp
{
    /// <summary>x with indices start .. start + count - 1 of one axis.</summary>
    public static Variable Slice(this Tape tape, Variable x, int axis, int start, int count)
    {
        var shape = Guard.Floats(tape, "slice", x);
        int at = Axis.Of("slice", shape, axis);
        Guard.Range("slice", start, count, shape[at], shape);
        var y = tape.Rent(Axis.WithSize(shape, at, count));
        int outer = Axis.Outer(shape, at);
        long inner = Axis.Inner(shape, at), block = count * inner;
        if (y.Count > 0)
        {
            tape.Kernels.Tokens.CopyBlocks(x.Value.View.Shift(start * inner), shape[at] * inner, y, block, outer, block, false);
        }

        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new SliceNode(result, x, outer, shape[at] * inner, start * inner, block));
        }

        return result;
    }

    private sealed class SliceNode(Variable output, Variable x, int outer, long stride, long offset, long block) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientSum();
            if (dy.Count > 0)
            {
                kernels.Tokens.CopyBlocks(dy, block, dx.View.Shift(offset), stride, outer, block, true);
            }
        }
    }
}
