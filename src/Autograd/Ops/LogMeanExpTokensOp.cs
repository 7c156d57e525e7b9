using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// The soft maximum over the tokens of every picture: between their mean and their largest value, the nearer to this one the sharper.
/// </summary>
public static class LogMeanExpTokensOp
{
    private const string Name = "log_mean_exp_tokens";

    /// <summary>x [B, T, D] -> [B, D], log(mean over tokens of e^(sharpness x)) / sharpness.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sharpness is not above 0, or infinite.</exception>
    public static Variable LogMeanExpTokens(this Tape tape, Variable x, float sharpness)
    {
        var shape = Guard.Floats(tape, Name, x, 3, "[B, T, D]");
        Guard.Positive(Name, sharpness, shape);
        int batch = shape[0], tokens = Guard.NotEmpty(Name, shape, 1, nameof(x)), width = shape[2];
        var y = Guard.Result(tape, Name, new Shape(batch, width));
        tape.Kernels.Tokens.LogMeanExp(x.Value, y, batch, tokens, width, sharpness);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new LogMeanExpTokensNode(result, x, sharpness));
        }

        return result;
    }

    private sealed class LogMeanExpTokensNode : Node
    {
        private readonly Variable _x;
        private readonly Tensor _savedX;
        private readonly Tensor _y;
        private readonly float _sharpness;

        internal LogMeanExpTokensNode(Variable output, Variable x, float sharpness)
            : base(output)
        {
            (_x, _sharpness) = (x, sharpness);
            _savedX = Save(x.Value);
            _y = Save(output.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = _x.GradientTarget(out bool accumulate);
            kernels.Tokens.LogMeanExpGradient(_savedX, _y, dy, dx, accumulate, _x.Shape[0], _x.Shape[1], _x.Shape[2], _sharpness);
        }
    }
}
