using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Layer normalisation over the innermost dimension.</summary>
public static class LayerNormOp
{
    private const string Name = "layer_norm";

    /// <summary>x [..., D], gamma and beta [D] -> [..., D] of the given element type.</summary>
    public static Variable LayerNorm(this Tape tape, Variable x, Variable gamma, Variable beta, float epsilon, DType type = DType.Float32)
    {
        var shape = Guard.Floats(tape, Name, x);
        int rows = Guard.Rows(Name, shape, nameof(x)), columns = shape[-1];
        Guard.Size(Name, Guard.Floats(tape, Name, gamma, 1, "[D]"), 0, columns, "the width of x", nameof(gamma));
        Guard.Size(Name, Guard.Floats(tape, Name, beta, 1, "[D]"), 0, columns, "the width of x", nameof(beta));
        Guard.NotNegative(Name, epsilon, shape);
        Guard.ResultType(tape, Name, type, shape);
        var y = Guard.Result(tape, Name, shape, type);
        var mean = tape.Rent(new Shape(rows));
        var rstd = tape.Rent(new Shape(rows));
        tape.Kernels.Normalization.LayerNorm(x.Value, gamma.Value, beta.Value, y, mean, rstd, rows, columns, epsilon);
        var result = tape.Result(y, x, gamma, beta);
        if (result.RequiresGradient)
        {
            tape.Record(new LayerNormNode(result, x, gamma, beta, mean, rstd, rows, columns));
        }
        else
        {
            mean.Dispose();
            rstd.Dispose();
        }

        return result;
    }

    private sealed class LayerNormNode : Node
    {
        private readonly Variable _x;
        private readonly Variable _gamma;
        private readonly Variable _beta;
        private readonly Tensor _savedX;
        private readonly Tensor? _savedGamma;
        private readonly Tensor _mean;
        private readonly Tensor _rstd;
        private readonly int _rows;
        private readonly int _columns;

        internal LayerNormNode(Variable output, Variable x, Variable gamma, Variable beta, Tensor mean, Tensor rstd, int rows, int columns)
            : base(output)
        {
            (_x, _gamma, _beta, _rows, _columns) = (x, gamma, beta, rows, columns);
            _savedX = Save(x.Value);

            // A parameter outlives the tape; any other weight may be freed before the backward.
            if (gamma is Parameter parameter)
            {
                Reads(parameter);
            }
            else
            {
                _savedGamma = Save(gamma.Value);
            }

            _mean = Own(mean);
            _rstd = Own(rstd);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            bool accumulate = false;
            var dx = _x.RequiresGradient ? _x.GradientTarget(out accumulate) : null;
            var dgamma = _gamma.RequiresGradient ? _gamma.GradientSum() : null;
            var dbeta = _beta.RequiresGradient ? _beta.GradientSum() : null;
            kernels.Normalization.LayerNormBackward(
                _savedX, _savedGamma ?? _gamma.Value, _mean, _rstd, dy, dx, accumulate, dgamma, dbeta, _rows, _columns);
        }
    }
}
