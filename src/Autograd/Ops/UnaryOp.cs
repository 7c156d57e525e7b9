using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Functions of one number, element by element: x of any shape -> the same shape. What each computes, and its slope, is a struct in
/// Kernels/Elementwise/Functions.
/// </summary>
public static class UnaryOp
{
    /// <summary>-x.</summary>
    public static Variable Negate(this Tape tape, Variable x) => Apply<Negate>(tape, "negate", x);

    /// <summary>e^x.</summary>
    public static Variable Exp(this Tape tape, Variable x) => Apply<Exp>(tape, "exp", x);

    /// <summary>The natural logarithm: -infinity at zero, NaN below.</summary>
    public static Variable Log(this Tape tape, Variable x) => Apply<Log>(tape, "log", x);

    /// <summary>The square root: NaN below zero; its gradient at zero is infinite.</summary>
    public static Variable Sqrt(this Tape tape, Variable x) => Apply<Sqrt>(tape, "sqrt", x);

    /// <summary>x^2.</summary>
    public static Variable Square(this Tape tape, Variable x) => Apply<Square>(tape, "square", x);

    /// <summary>max(x, 0); no gradient at zero.</summary>
    public static Variable Relu(this Tape tape, Variable x) => Apply<Relu>(tape, "relu", x);

    /// <summary>x Phi(x), Phi being the normal distribution: GELU in its exact form, with erf.</summary>
    public static Variable Gelu(this Tape tape, Variable x) => Apply<Gelu>(tape, "gelu", x);

    /// <summary>x sigmoid(1.702 x): CLIP's approximation of GELU.</summary>
    public static Variable QuickGelu(this Tape tape, Variable x) => Apply<QuickGelu>(tape, "quick_gelu", x);

    /// <summary>1 / (1 + e^-x).</summary>
    public static Variable Sigmoid(this Tape tape, Variable x) => Apply<Sigmoid>(tape, "sigmoid", x);

    /// <summary>The hyperbolic tangent.</summary>
    public static Variable Tanh(this Tape tape, Variable x) => Apply<Tanh>(tape, "tanh", x);

    private static Variable Apply<TFunction>(Tape tape, string op, Variable x)
        where TFunction : struct, IUnaryFunction
    {
        var y = Guard.Result(tape, op, Guard.Floats(tape, op, x));
        tape.Kernels.Elementwise.Unary<TFunction>(x.Value, y, y.Count);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new UnaryNode<TFunction>(result, x));
        }

        return result;
    }

    private sealed class UnaryNode<TFunction> : Node
        where TFunction : struct, IUnaryFunction
    {
        private readonly Variable _x;
        private readonly Tensor _saved;

        internal UnaryNode(Variable output, Variable x)
            : base(output)
        {
            _x = x;
            _saved = Save(TFunction.SlopeOfResult ? output.Value : x.Value);
        }

        // "UnaryOp" would be any of ten.
        internal override string Name => typeof(TFunction).Name;

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = _x.GradientTarget(out bool accumulate);
            kernels.Elementwise.UnaryBackward<TFunction>(_saved, dy, dx, accumulate, dy.Count);
        }
    }
}
