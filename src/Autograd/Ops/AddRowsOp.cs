using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Adds one [T, D] matrix to every picture's tokens: position embeddings.</summary>
public static class AddRowsOp
{
    /// <summary>x [B, T, D] + rows [T, D] (rows may be longer than T: the first T are used).</summary>
    public static Variable AddRows(this Tape tape, Variable x, Variable rows)
    {
        int batch = x.Shape[0], length = x.Shape[1], width = x.Shape[2];
        if (rows.Shape.Rank != 2 || rows.Shape[0] < length || rows.Shape[1] != width)
        {
            throw new ArgumentException($"add rows: {rows.Shape} to {x.Shape}");
        }

        var y = tape.Device.Empty(x.Shape);
        long stride = (long)length * width;
        tape.Kernels.Tokens.CopyBlocks(x.Value, stride, y, stride, batch, stride, false);
        tape.Kernels.Tokens.CopyBlocks(rows.Value, 0, y, stride, batch, stride, true);
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
