using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Input of the text adapter (method.md 4, ZegCLIP's relationship descriptor): [ t * g ; t ], the product first.</summary>
public static class RelationshipOp
{
    private const string Name = "relationship";

    /// <summary>t [C, E], g [B, E] -> [B, C, 2E].</summary>
    public static Variable Relationship(this Tape tape, Variable t, Variable g)
    {
        Shape texts = Guard.Floats(tape, Name, t, 2, "[C, E]"), pictures = Guard.Floats(tape, Name, g, 2, "[B, E]");
        int classes = texts[0], width = texts[1], batch = pictures[0];
        Guard.Size(Name, pictures, 1, width, "the width of t", nameof(g));
        var y = Guard.Result(tape, Name, new Shape(batch, classes, Guard.Product(Name, 2, width)));
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
