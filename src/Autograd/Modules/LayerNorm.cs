using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>Layer normalisation with learnt weight (1 at first) and bias (0 at first).</summary>
public sealed class LayerNorm : Module
{
    private readonly float _epsilon;

    /// <summary>Creates the parameters for rows of the given width.</summary>
    public LayerNorm(Initializer init, int width, float epsilon = 1e-5f)
    {
        ArgumentNullException.ThrowIfNull(init);
        Weight = Add("weight", init.Constant(new Shape(width), 1));
        Bias = Add("bias", () => init.Constant(new Shape(width), 0));
        _epsilon = epsilon;
    }

    /// <summary>[width].</summary>
    public Parameter Weight { get; }

    /// <summary>[width].</summary>
    public Parameter Bias { get; }

    /// <summary>x [..., width] -> the same shape.</summary>
    public Variable Forward(Tape tape, Variable x) => tape.LayerNorm(x, Weight, Bias, _epsilon);

    /// <summary>The normalisation of x + dropout(branch), both [..., width].</summary>
    internal Variable Forward(Tape tape, Variable x, Variable branch, float dropout) => tape.AddLayerNorm(x, branch, dropout, Weight, Bias, _epsilon);
}
