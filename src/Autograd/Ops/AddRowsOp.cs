using Ldvc.Kernels;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Adds one [T, D] matrix to every picture's tokens: position embeddings.</summary>
public static class AddRowsOp
{
    private const string Name = "add_rows";

    /// <summary>x [B, T, D] + rows [T, D] (rows may be longer than T: the first T are used).</summary>
    public static Variable AddRows(this Tape tape, Variable x, Variable rows)
    {
        Shape shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]"), added = Guard.Floats(tape, Name, rows, 2, "[T, D]");
        int batch = shape[0], length = shape[1], width = shape[2];
        Guard.Size(Name, added, 1, width, "the width of x", nameof(rows));
        if (added[0] < length)
        {
            throw new ArgumentException($"{Name}: rows must have at least the {length} tokens of x {shape}, got {added}");
        }

        var y = Guard.Result(tape, Name, shape);
        long stride = (long)length * width;
        if (tape.Device.StartsAreDear)
        {
            tape.Kernels.Elementwise.Binary<Add>(x.Value, rows.Value, y, false, BroadcastLayout.Of(shape, shape, new Shape(length, width)));
        }
        else
        {
            tape.Kernels.Tokens.CopyBlocks(x.Value, stride, y, stride, batch, stride, false);
            tape.Kernels.Tokens.CopyBlocks(rows.Value, 0, y, stride, batch, stride, true);
        }

        var result = tape.Result(y, x, rows);
        if (result.RequiresGradient)
        {
            tape.Record(new AddRowsNode(result, x, rows));
        }

        return result;
    }

    private sealed class AddRowsNode(Variable output, Variable x, Variable rows) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (x.RequiresGradient)
            {
                x.AddGradient(dy);
            }

            if (rows.RequiresGradient)
            {
                long stride = (long)dy.Shape[1] * dy.Shape[2];
                kernels.Tokens.SumBlocks(dy, stride, rows.GradientSum(), dy.Shape[0], stride);
            }
        }
    }
}
