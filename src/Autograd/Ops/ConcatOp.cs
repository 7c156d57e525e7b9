using Ldvc.Kernels.Devices;
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
        int batch = Guard.NotEmpty(Name, left, 0, nameof(a)), width = left[2], first = left[1], second = right[1];
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

    /// <summary>Values side by side along any axis: shapes that agree everywhere else.</summary>
    public static Variable Concat(this Tape tape, ReadOnlySpan<Variable> inputs, int axis)
    {
        if (inputs.Length == 0)
        {
            throw new ArgumentException("concat: there must be at least 1 input");
        }

        var shape = Guard.Floats(tape, "concat", inputs[0]);
        int at = Axis.Of("concat", shape, axis), size = 0;
        foreach (var input in inputs)
        {
            var other = Guard.Floats(tape, "concat", input);
            if (other.Rank != shape.Rank || Axis.WithSize(other, at, shape[at]) != shape)
            {
                throw new ArgumentException($"concat: inputs {shape} and {other} must agree in all dimensions but axis {at}");
            }

            size = Guard.Sum("concat", size, other[at]);
        }

        var y = Guard.Result(tape, "concat", Axis.WithSize(shape, at, size));
        int outer = Axis.Outer(shape, at);
        long inner = Axis.Inner(shape, at), stride = size * inner, offset = 0;
        foreach (var input in inputs)
        {
            long block = input.Shape[at] * inner;
            if (block > 0 && outer > 0)
            {
                tape.Kernels.Tokens.CopyBlocks(input.Value, block, y.View.Shift(offset), stride, outer, block, false);
            }

            offset += block;
        }

        var result = tape.Result(y, inputs);
        if (result.RequiresGradient)
        {
            tape.Record(new AxisNode(result, inputs.ToArray(), at));
        }

        return result;
    }

    private sealed class AxisNode(Variable output, Variable[] inputs, int axis) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int outer = Axis.Outer(dy.Shape, axis);
            long inner = Axis.Inner(dy.Shape, axis), stride = dy.Shape[axis] * inner, offset = 0;
            foreach (var input in inputs)
            {
                long block = input.Shape[axis] * inner;
                if (input.RequiresGradient && block > 0 && outer > 0)
                {
                    var target = input.GradientTarget(out bool accumulate);
                    kernels.Tokens.CopyBlocks(dy.View.Shift(offset), stride, target, block, outer, block, accumulate);
                }

                offset += block;
            }
        }
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
