using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>exp(s) * x with a learnt scalar s: CLIP's logit scale. The factor stays on the device.</summary>
public static class ScaleByExpOp
{
    private const string Name = "scale_by_exp";

    /// <summary>x of any shape, s of one element, the factor cut at `limit` (CLIP: 100), which is above 0 and may be infinite.</summary>
    public static Variable ScaleByExp(this Tape tape, Variable x, Variable s, float limit)
    {
        Shape shape = Guard.Floats(tape, Name, x), scalar = Guard.Floats(tape, Name, s);
        if (scalar.Count != 1)
        {
            throw new ArgumentException($"{Name}: s must have one element, got {scalar}");
        }

        if (!(limit > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(limit), $"{Name}: limit must be above 0, got {limit} (x {shape})");
        }

        var y = Guard.Result(tape, Name, shape);
        tape.Kernels.Elementwise.ScaleByExp(x.Value, s.Value, limit, y, false, y.Count);
        var result = tape.Result(y, x, s);
        if (result.RequiresGradient)
        {
            tape.Record(new ScaleByExpNode(result, x, s, limit));
        }

        return result;
    }

    private sealed class ScaleByExpNode : Node
    {
        private readonly Variable _x;
        private readonly Variable _s;
        private readonly Tensor _savedS;
        private readonly Tensor _y;
        private readonly float _limit;

        internal ScaleByExpNode(Variable output, Variable x, Variable s, float limit)
            : base(output)
        {
            (_x, _s, _limit) = (x, s, limit);
            _savedS = Save(s.Value);
            _y = Save(output.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_x.RequiresGradient)
            {
                var dx = _x.GradientTarget(out bool accumulate);
                kernels.Elementwise.ScaleByExp(dy, _savedS, _limit, dx, accumulate, dy.Count);
            }

            if (_s.RequiresGradient)
            {
                // d/ds (e^s x) = y
                var ds = _s.GradientTarget(out bool accumulate);
                kernels.Elementwise.ScaleByExpGradient(dy, _y, _savedS, _limit, ds, accumulate, dy.Count);
            }
        }
    }
}
