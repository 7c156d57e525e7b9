using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Scaling to unit length over the innermost dimension.</summary>
public static class L2NormalizeOp
{
    private const string Name = "l2_normalize";

    /// <summary>x [..., D] -> [..., D] with |row| = 1.</summary>
    public static Variable L2Normalize(this Tape tape, Variable x)
    {
        var shape = Guard.Floats(tape, Name, x);
        int rows = Guard.Rows(Name, shape, nameof(x)), columns = shape[-1];
        var y = Guard.Result(tape, Name, shape);
        var inverse = tape.Rent(new Shape(rows));
        tape.Kernels.Normalization.L2Normalize(x.Value, y, inverse, rows, columns);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new L2NormalizeNode(result, x, inverse, rows, columns));
        }
        else
        {
            inverse.Dispose();
        }

        return result;
    }

    private sealed class L2NormalizeNode : Node
    {
        private readonly Variable _x;
        private readonly Tensor _y;
        private readonly Tensor _inverse;
        private readonly int _rows;
        private readonly int _columns;

        internal L2NormalizeNode(Variable output, Variable x, Tensor inverse, int rows, int columns)
            : base(output)
        {
            (_x, _rows, _columns) = (x, rows, columns);
            _y = Save(output.Value);
            _inverse = Own(inverse);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = _x.GradientTarget(out bool accumulate);
            kernels.Normalization.L2NormalizeBackward(_y, _inverse, dy, dx, accumulate, _rows, _columns);
        }
    }
}
