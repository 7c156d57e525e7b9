using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Input of the text adapter (method.md 4, ZegCLIP's relationship descriptor): [ t * g ; t ], the product first.</summary>
public static class RelationshipOp
{
    /// <summary>t [C, E], g [B, E] -> [B, C, 2E].</summary>
    public static Variable Relationship(this Tape tape, Variable t, Variable g)
    {
        int classes = t.Shape[0], width = t.Shape[1], batch = g.Shape[0];
        if (g.Shape[1] != width)
        {
            throw new ArgumentException($"relationship: class embeddings {t.Shape}, picture embeddings {g.Shape}");
        }

        var y = tape.Device.Empty(new Shape(batch, classes, 2 * width));
        tape.Kernels.Elementwise.Relationship(t.Value, g.Value, y, batch, classes, width);
        var result = tape.Result(y, t, g);
        if (result.RequiresGradient)
        {
            tape.Record(new RelationshipNode(result, t, g));
        }

        return result;
    }

    private sealed class RelationshipNode : Node
    {
        private readonly Variable _t;
        private readonly Variable _g;
        private readonly Tensor _savedT;
        private readonly Tensor _savedG;

        internal RelationshipNode(Variable output, Variable t, Variable g)
            : base(output)
        {
            (_t, _g) = (t, g);
            _savedT = Save(t.Value);
            _savedG = Save(g.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dt = _t.RequiresGradient ? _t.GradientSum() : null;
            var dg = _g.RequiresGradient ? _g.GradientSum() : null;
            kernels.Elementwise.RelationshipBackward(_savedT, _savedG, dy, dt, dg, dy.Shape[0], dy.Shape[1], _t.Shape[1]);
        }
    }
}
