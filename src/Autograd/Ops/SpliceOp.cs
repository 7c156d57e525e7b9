using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Inserts or replaces tokens: the class token, and the deep prompts of method.md 2 and 3.</summary>
public static class SpliceOp
{
    private const string Name = "splice";

    /// <summary>
    /// x [B, T, D] with tokens start .. start+dropped taken out and tokens [M, D] (the same for all pictures) or [B, M, D] (each picture's own) put there
    /// -> [B, T - dropped + M, D].
    /// </summary>
    public static Variable Splice(this Tape tape, Variable x, Variable tokens, int start, int dropped)
    {
        Shape shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]"), added = Guard.Floats(tape, Name, tokens);
        bool own = added.Rank == 3;
        added = own ? added : Guard.Floats(tape, Name, tokens, 2, "[M, D] or [B, M, D]");
        int batch = Guard.NotEmpty(Name, shape, 0, nameof(x)), length = shape[1], width = shape[2], count = added[-2];
        Guard.Size(Name, added, added.Rank - 1, width, "the width of x", nameof(tokens));
        if (own)
        {
            Guard.Size(Name, added, 0, batch, "the pictures of x", nameof(tokens));
        }

        Guard.Range(Name, start, dropped, length, shape);
        int outLength = Guard.Sum(Name, length - dropped, count);
        var y = Guard.Result(tape, Name, new Shape(batch, outLength, width));
        var copy = tape.Kernels.Tokens;
        long inStride = (long)length * width, outStride = (long)outLength * width;
        int tail = length - start - dropped;
        if (start > 0)
        {
            copy.CopyBlocks(x.Value, inStride, y, outStride, batch, (long)start * width, false);
        }

        copy.CopyBlocks(tokens.Value, own ? (long)count * width : 0, y.View.Shift((long)start * width), outStride, batch, (long)count * width, false);
        if (tail > 0)
        {
            copy.CopyBlocks(
                x.Value.View.Shift((long)(start + dropped) * width), inStride, y.View.Shift((long)(start + count) * width), outStride, batch, (long)tail * width, false);
        }

        var result = tape.Result(y, x, tokens);
        if (result.RequiresGradient)
        {
            tape.Record(new SpliceNode(result, x, tokens, start, dropped));
        }

        return result;
    }

    private sealed class SpliceNode(Variable output, Variable x, Variable tokens, int start, int dropped) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int batch = dy.Shape[0], outLength = dy.Shape[1], width = dy.Shape[2], count = tokens.Shape[-2], length = x.Shape[1];
            long inStride = (long)length * width, outStride = (long)outLength * width;
            if (x.RequiresGradient)
            {
                var dx = x.GradientTarget(out bool accumulate);
                int tail = length - start - dropped;
                if (start > 0)
                {
                    kernels.Tokens.CopyBlocks(dy, outStride, dx, inStride, batch, (long)start * width, accumulate);
                }

                if (tail > 0)
                {
                    kernels.Tokens.CopyBlocks(
                        dy.View.Shift((long)(start + count) * width), outStride, dx.View.Shift((long)(start + dropped) * width), inStride, batch, (long)tail * width, accumulate);
                }

                if (!accumulate && dropped > 0)
                {
                    // Dropped tokens influence nothing.
                    using var rows = dx.Reshape(batch * length, width);
                    for (int b = 0; b < batch; b++)
                    {
                        using var hole = rows.Slice((b * length) + start, dropped);
                        hole.Clear();
                    }
                }
            }

            if (tokens.RequiresGradient && tokens.Shape.Rank == 3)
            {
                var dtokens = tokens.GradientTarget(out bool accumulate);
                kernels.Tokens.CopyBlocks(
                    dy.View.Shift((long)start * width), outStride, dtokens, (long)count * width, batch, (long)count * width, accumulate);
            }
            else if (tokens.RequiresGradient)
            {
                kernels.Tokens.SumBlocks(dy.View.Shift((long)start * width), outStride, tokens.GradientSum(), batch, (long)count * width);
            }
        }
    }
}
