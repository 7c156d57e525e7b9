using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Softmax and its logarithm, over any axis.</summary>
public static class SoftmaxOp
{
    /// <summary>e^x / sum of e^x over the axis; x of -infinity gives 0, a slice of nothing else NaN.</summary>
    public static Variable Softmax(this Tape tape, Variable x, int axis = -1) => Apply(tape, "softmax", x, axis, false);

    /// <summary>x - log(sum of e^x over the axis).</summary>
    public static Variable LogSoftmax(this Tape tape, Variable x, int axis = -1) => Apply(tape, "log_softmax", x, axis, true);

    private static Variable Apply(Tape tape, string op, Variable x, int axis, bool logarithm)
    {
        var shape = Guard.Floats(tape, op, x);
        int at = Axis.Of(op, shape, axis), length = Guard.NotEmpty(op, shape, at, nameof(x)), outer = Axis.Outer(shape, at),
            inner = Axis.Inner(shape, at);
        var y = tape.Rent(shape);
        tape.Kernels.Softmax.Forward(x.Value, y, logarithm, outer, length, inner);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new SoftmaxNode(result, x, logarithm, outer, length, inner));
        }

        return result;
    }

    private sealed class SoftmaxNode : Node
    {
        private readonly Variable _x;
        private readonly Tensor _y;
        private readonly bool _logarithm;
        private readonly int _outer;
        private readonly int _length;
        private readonly int _inner;

        internal SoftmaxNode(Variable output, Variable x, bool logarithm, int outer, int length, int inner)
            : base(output)
        {
            (_x, _logarithm, _outer, _length, _inner) = (x, logarithm, outer, length, inner);
            _y = Save(output.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = _x.GradientTarget(out bool accumulate);
            kernels.Softmax.Backward(_y, dy, dx, _logarithm, accumulate, _outer, _length, _inner);
        }
    }
}
