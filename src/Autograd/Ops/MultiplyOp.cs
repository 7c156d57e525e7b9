using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Product of two values, element by element. What only the other's gradient would need is not kept.</summary>
public static class MultiplyOp
{
    /// <summary>a * b, with NumPy's broadcasting.</summary>
    public static Variable Multiply(this Tape tape, Variable a, Variable b)
    {
        var result = tape.Result(Broadcasting.Apply<Multiply>(tape, "multiply", a, b), a, b);
        if (result.RequiresGradient)
        {
            tape.Record(new MultiplyNode(result, a, b));
        }

        return result;
    }

    /// <summary>x * value: <see cref="ScaleOp.Scale"/>.</summary>
    public static Variable Multiply(this Tape tape, Variable x, float value)
    {
        Guard.Finite("multiply", value, Guard.Floats(tape, "multiply", x));
        return tape.Scale(x, value);
    }

    private sealed class MultiplyNode : Node
    {
        private readonly Variable _a;
        private readonly Variable _b;
        private readonly Tensor? _savedA;
        private readonly Tensor? _savedB;

        internal MultiplyNode(Variable output, Variable a, Variable b)
            : base(output)
        {
            (_a, _b) = (a, b);
            _savedA = b.RequiresGradient ? Save(a.Value) : null;
            _savedB = a.RequiresGradient ? Save(b.Value) : null;
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            if (_savedB is not null)
            {
                Broadcasting.AddGradient<Multiply>(kernels, _a, dy.Shape, dy, _savedB);
            }

            if (_savedA is not null)
            {
                Broadcasting.AddGradient<Multiply>(kernels, _b, dy.Shape, dy, _savedA);
            }
        }
    }
}
