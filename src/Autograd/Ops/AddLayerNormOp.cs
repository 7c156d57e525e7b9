using Ldvc.Kernels;
using Ldvc.Kernels.Normalization;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>The end of a post-norm branch: it is added to what it branched off from, and the sum is normalised (method.md 5).</summary>
internal static class AddLayerNormOp
{
    private const string Name = "add_layer_norm";

    /// <summary>
    /// x and branch [..., D], gamma and beta [D] -> the layer normalisation of x + dropout(branch); nothing is dropped when the tape does not record.
    /// </summary>
    internal static Variable AddLayerNorm(this Tape tape, Variable x, Variable branch, float dropout, Variable gamma, Variable beta, float epsilon)
    {
        var shape = Guard.Floats(tape, Name, x);
        Guard.Same(Name, shape, Guard.Floats(tape, Name, branch), "x", "branch");
        int rows = Guard.Rows(Name, shape, nameof(x)), columns = shape[-1];
        Guard.Size(Name, Guard.Floats(tape, Name, gamma, 1, "[D]"), 0, columns, "the width of x", nameof(gamma));
        Guard.Size(Name, Guard.Floats(tape, Name, beta, 1, "[D]"), 0, columns, "the width of x", nameof(beta));
        Guard.NotNegative(Name, epsilon, shape);
        Guard.Dropped(Name, dropout, shape);
        bool drops = tape.Recording && dropout > 0;
        var drop = drops ? new BranchDropout(dropout, tape.NextDropoutKey(), tape.FirstRow * (shape.Count / Math.Max(1, shape[0]))) : default;
        Tensor y = Guard.Result(tape, Name, shape), sum = tape.Rent(shape), mean = tape.Rent(new Shape(rows)), rstd = tape.Rent(new Shape(rows));
        tape.Kernels.Normalization.AddLayerNorm(x.Value, branch.Value, drop, gamma.Value, beta.Value, sum, y, mean, rstd, rows, columns, epsilon);
        var result = tape.Result(y, [x, branch, gamma, beta], Name);
        if (result.RequiresGradient)
        {
            tape.Record(new AddLayerNormNode(result, x, branch, gamma, beta, sum, mean, rstd, drop));
        }
        else
        {
            sum.Dispose();
            mean.Dispose();
            rstd.Dispose();
        }

        return result;
    }

    private sealed class AddLayerNormNode : Node
    {
        private readonly Variable _x;
        private readonly Variable _branch;
        private readonly Variable _gamma;
        private readonly Variable _beta;
        private readonly Tensor? _savedGamma;
        private readonly Tensor _sum;
        private readonly Tensor _mean;
        private readonly Tensor _rstd;
        private readonly BranchDropout _drop;

        internal AddLayerNormNode(
            Variable output, Variable x, Variable branch, Variable gamma, Variable beta, Tensor sum, Tensor mean, Tensor rstd, BranchDropout drop)
            : base(output)
        {
            (_x, _branch, _gamma, _beta, _drop) = (x, branch, gamma, beta, drop);

            // A parameter outlives the tape; any other weight may be freed before the backward.
            if (gamma is Parameter parameter)
            {
                Reads(parameter);
            }
            else
            {
                _savedGamma = Save(gamma.Value);
            }

            (_sum, _mean, _rstd) = (Own(sum), Own(mean), Own(rstd));
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int columns = dy.Shape[-1], rows = (int)(dy.Count / columns);
            using var dsum = dy.Device.Empty(dy.Shape);
            bool accumulate = false;
            var dgamma = _gamma.RequiresGradient ? _gamma.GradientSum() : null;
            var dbeta = _beta.RequiresGradient ? _beta.GradientSum() : null;

            // Where nothing is dropped, the branch's gradient is the sum's, shared, not copied; x and the branch may be one.
            bool drops = _drop.Probability > 0 && _branch.RequiresGradient;
            var dbranch = drops ? _branch.GradientTarget(out accumulate) : null;
            kernels.Normalization.AddLayerNormBackward(
                _sum, _savedGamma ?? _gamma.Value, _mean, _rstd, dy, dsum, dbranch, accumulate, _drop, dgamma, dbeta, rows, columns);
            if (_x.RequiresGradient)
            {
                _x.AddGradient(dsum);
            }

            if (_branch.RequiresGradient && !drops)
            {
                _branch.AddGradient(dsum);
            }
        }
    }
}
