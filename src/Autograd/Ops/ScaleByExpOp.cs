using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>exp(s) * x with a learnt scalar s: CLIP's logit scale.</summary>
public static class ScaleByExpOp
{
    /// <summary>x of any shape, s of one element, the factor cut at `limit` (CLIP: 100).</summary>
    public static Variable ScaleByExp(this Tape tape, Variable x, Variable s, float limit)
    {
        float exact = MathF.Exp(s.Value.ToScalar()), factor = MathF.Min(exact, limit);
        var y = tape.Device.Empty(x.Shape);
        tape.Kernels.Elementwise.Scale(x.Value, factor, y, false, y.Count);
        var result = tape.Result(y, x, s);
        if (result.RequiresGradient)
        {
            tape.Record(new ScaleByExpNode(result, x, s, factor, exact > limit));
        }

        return result;
    }

    private sealed class ScaleByExpNode : Node
    {
        private readonly Variable _x;
        private readonly Variable _s;
        private readonly Tensor _y;
        private readonly float _factor;
        private readonly bool _cut;

        internal ScaleByExpNode(Variable output, Variable x, Variable s, float factor, bool cut)
            : base(output)
        {
            (_x, _s, _factor, _cut) = (x, s, factor, cut);
            _y = Save(output.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_x.RequiresGradient)
            {
                var dx = _x.GradientTarget(out bool accumulate);
                kernels.Elementwise.Scale(dy, _factor, dx, accumulate, dy.Count);
            }

            if (_s.RequiresGradient && !_cut)
            {
                // d/ds (e^s x) = y
                using var product = dy.Device.Empty(dy.Shape);
                kernels.Elementwise.Multiply(dy, _y, product, false, dy.Count);
                using var sum = dy.Device.FromHost([(float)kernels.Reduction.Sum(product, product.Count)], new Shape(1));
                _s.AddGradient(sum);
            }
        }
    }
}
