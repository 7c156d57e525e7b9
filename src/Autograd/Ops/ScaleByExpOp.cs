using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>exp(s) * x with a learnt scalar s: CLIP's logit scale. The factor stays on the device.</summary>
public static class ScaleByExpOp
{
    /// <summary>x of any shape, s of one element, the factor cut at `limit` (CLIP: 100).</summary>
    public static Variable ScaleByExp(this Tape tape, Variable x, Variable s, float limit)
    {
        var y = tape.Device.Empty(x.Shape);
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
