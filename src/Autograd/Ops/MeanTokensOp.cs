using Ldvc.Kernels;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>The mean over the tokens of every picture.</summary>
public static class MeanTokensOp
{
    private const string Name = "mean_tokens";

    /// <summary>x [B, T, D] -> [B, D].</summary>
    public static Variable MeanTokens(this Tape tape, Variable x)
    {
        var shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]");
        int batch = shape[0], tokens = Guard.NotEmpty(Name, shape, 1, nameof(x)), width = shape[2];
        var y = tape.Rent(new Shape(batch, width));
        y.Clear();
        tape.Kernels.Tokens.SumBlocks(x.Value, width, y, tokens, width, new BlockRepeat(batch, (long)tokens * width, width));
        tape.Kernels.Elementwise.Scale(y, 1f / tokens, y, false, y.Count);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new MeanTokensNode(result, x));
        }

        return result;
    }

    private sealed class MeanTokensNode(Variable output, Variable x) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int batch = x.Shape[0], tokens = x.Shape[1], width = x.Shape[2];
            using var scaled = dy.Device.Empty(dy.Shape);
            kernels.Elementwise.Scale(dy, 1f / tokens, scaled, false, dy.Count);
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Tokens.CopyBlocks(scaled, 0, dx, width, tokens, width, accumulate, new BlockRepeat(batch, width, (long)tokens * width));
        }
    }
}
