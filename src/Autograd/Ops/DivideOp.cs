using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Quotient of two values, element by element.</summary>
public static class DivideOp
{
    /// <summary>a / b, with NumPy's broadcasting; division by zero gives an infinity or NaN, as in IEEE 754.</summary>
    public static Variable Divide(this Tape tape, Variable a, Variable b)
    {
        var result = tape.Result(Broadcasting.Apply<Divide>(tape, "divide", a, b), a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new DivideNode(result, a, b));
        }

        return result;
    }

    /// <summary>x / value.</summary>
    public static Variable Divide(this Tape tape, Variable x, float value) => tape.Divide(x, Broadcasting.Scalar(tape, value));

    /// <summary>value / x.</summary>
    public static Variable Divide(this Tape tape, float value, Variable x) => tape.Divide(Broadcasting.Scalar(tape, value), x);

    private sealed class DivideNode : Node
    {
        private readonly Variable _a;
        private readonly Variable _b;
        private readonly Tensor _savedB;
        private readonly Tensor? _y;

        internal DivideNode(Variable output, Variable a, Variable b)
            : base(output)
        {
            (_a, _b) = (a, b);
            _savedB = Save(b.Value);
            _y = b.RequiresGradient ? Save(output.Value) : null;
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_a.RequiresGradient)
            {
                Broadcasting.AddGradient<Divide>(kernels, _a, dy.Shape, dy, _savedB);
            }

            if (_y is not null)
            {
                // d/db (a / b) = -y / b
                using var product = dy.Device.Empty(dy.Shape);
                kernels.Elementwise.Binary<Multiply>(dy, _y, product, false, BroadcastLayout.Dense(dy.Count));
                Broadcasting.AddGradient<Divide>(kernels, _b, dy.Shape, product, _savedB, -1);
            }
        }
    }
}
