using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>A range of tokens of every picture.</summary>
public static class SliceTokensOp
{
    private const string Name = "slice_tokens";

    /// <summary>x [B, T, D] -> [B, count, D], tokens start .. start+count.</summary>
    public static Variable SliceTokens(this Tape tape, Variable x, int start, int count)
    {
        var shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]");
        int batch = Guard.NotEmpty(Name, shape, 0, nameof(x)), length = shape[1], width = shape[2];
        Guard.Range(Name, start, count, length, shape);
        var y = Guard.Result(tape, Name, new Shape(batch, count, width));
        tape.Kernels.Tokens.CopyBlocks(
            x.Value.View.Shift((long)start * width), (long)length * width, y, (long)count * width, batch, (long)count * width, false);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new SliceTokensNode(result, x, start));
        }

        return result;
    }

    private sealed class SliceTokensNode(Variable output, Variable x, int start) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int batch = dy.Shape[0], count = dy.Shape[1], width = dy.Shape[2], length = x.Shape[1];
            var dx = x.GradientSum();
            kernels.Tokens.CopyBlocks(
                dy, (long)count * width, dx.View.Shift((long)start * width), (long)length * width, batch, (long)count * width, true);
        }
    }
}
