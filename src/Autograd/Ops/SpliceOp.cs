using Ldvc.Kernels;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Inserts or replaces tokens: the class token, and the deep prompts of method.md 2 and 3.</summary>
public static class SpliceOp
{
    private const string Name = "splice";

    /// <summary>
    /// x [B, T, D] with tokens start .. start+dropped taken out and tokens [M, D] (the same for all pictures) or [B, M, D] (each picture's own) put
    /// there
    /// -> [B, T - dropped + M, D].
    /// </summary>
    public static Variable Splice(this Tape tape, Variable x, Variable tokens, int start, int dropped)
    {
        Shape shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]"), added = Guard.Floats(tape, Name, tokens);
        bool own = added.Rank == 3;
        added = own ? added : Guard.Floats(tape, Name, tokens, 2, "[M, D] or [B, M, D]");
        int batch = Guard.NotEmpty(Name, shape, 0, nameof(x));
        Guard.Size(Name, added, added.Rank - 1, shape[2], "the width of x", nameof(tokens));
        if (own)
        {
            Guard.Size(Name, added, 0, batch, "the pictures of x", nameof(tokens));
        }

        return Run(tape, x, tokens, -1, start, dropped, added[-2], own);
    }

    /// <summary>
    /// As <see cref="Splice"/> with tokens [M, D] that are a row of a stack [L, M, D]: layer i's prompts. Their gradient goes straight to where it
    /// belongs in the stack's, without an operation for the row.
    /// </summary>
    internal static Variable SpliceRow(this Tape tape, Variable x, Variable stack, int row, int start, int dropped)
    {
        Shape shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]"), added = Guard.Floats(tape, Name, stack, 3, "[L, M, D]");
        Guard.NotEmpty(Name, shape, 0, nameof(x));
        Guard.Size(Name, added, 2, shape[2], "the width of x", nameof(stack));
        Guard.Between(Name, row, 0, added[0] - 1, added);
        return Run(tape, x, stack, row, start, dropped, added[1], own: false);
    }

    private static Variable Run(Tape tape, Variable x, Variable tokens, int row, int start, int dropped, int count, bool own)
    {
        var shape = x.Shape;
        Guard.Range(Name, start, dropped, shape[1], shape);
        int after = Guard.Sum(Name, shape[1] - dropped, count);
        var sizes = new SpliceSizes(shape[0], shape[1], shape[2], start, dropped, count, own);
        var y = Guard.Result(tape, Name, new Shape(shape[0], after, shape[2]));
        tape.Kernels.Tokens.Splice(sizes, x.Value, Part(tokens.Value, sizes, row), y);
        var result = tape.Result(y, x, tokens, Name);
        if (result.RequiresGradient)
        {
            tape.Record(new SpliceNode(result, x, tokens, row, sizes));
        }

        return result;
    }

    private static View Part(Tensor tokens, in SpliceSizes sizes, int row) => tokens.View.Shift(Math.Max(row, 0) * sizes.Block);

    private sealed class SpliceNode(Variable output, Variable x, Variable tokens, int row, SpliceSizes sizes) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            bool accumulate = false, accumulateTokens = row >= 0;
            Tensor? dx = x.RequiresGradient ? x.GradientTarget(out accumulate) : null;
            if (dx is not null && ReferenceEquals(x, tokens))
            {
                // Both gradients are one tensor: a launch that writes it twice would be a race, and a scale found on the way that of a part.
                kernels.Tokens.SpliceBackward(sizes, dy, dx, accumulate, default, false);
                kernels.Tokens.SpliceBackward(sizes, dy, default, false, Part(dx, sizes, row), accumulateTokens: true);
                return;
            }

            // The other rows of a stack must be zeros before the first one is added.
            Tensor? dtokens = !tokens.RequiresGradient ? null : row >= 0 ? tokens.GradientSum() : tokens.GradientTarget(out accumulateTokens);
            View scale = dx is null ? default : x.GradientScaleTarget();
            kernels.Tokens.SpliceBackward(sizes, dy, dx, accumulate, dtokens is null ? default : Part(dtokens, sizes, row), accumulateTokens, scale);
        }
    }
}
