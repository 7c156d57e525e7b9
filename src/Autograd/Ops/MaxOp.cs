using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Largest values over axes. Elements that share the largest value share its gradient in equal parts, as with PyTorch's amax. NaN shows.
/// </summary>
public static class MaxOp
{
    /// <summary>The largest of x over the axes named, over all of them when none is.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Of any shape without a zero among the axes.</param>
    /// <param name="axes">Negative ones count from the innermost.</param>
    /// <param name="keepDims">Keeps the axes, as ones.</param>
    public static Variable Max(this Tape tape, Variable x, ReadOnlySpan<int> axes = default, bool keepDims = false)
    {
        var shape = Guard.Floats(tape, "max", x);
        Span<bool> marked = stackalloc bool[shape.Rank];
        Axis.Mark("max", shape, axes, marked);
        for (int i = 0; i < shape.Rank; i++)
        {
            if (marked[i] && shape[i] == 0)
            {
                throw new ArgumentException($"max: axis {i} has no elements ({shape})");
            }
        }

        var y = Guard.Result(tape, "max", Axis.Reduced(shape, marked, keepDims));
        AxisReduction.Max(tape.Kernels, x.Value, marked, y);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new MaxNode(result, x, Axis.Reduced(shape, marked, keepDims: true)));
        }

        return result;
    }

    /// <summary>The largest of x over one axis.</summary>
    public static Variable Max(this Tape tape, Variable x, int axis, bool keepDims = false) => tape.Max(x, [axis], keepDims);

    private sealed class MaxNode : Node
    {
        private readonly Variable _x;
        private readonly Tensor _savedX;
        private readonly Tensor _y;
        private readonly Shape _kept;

        internal MaxNode(Variable output, Variable x, Shape kept)
            : base(output)
        {
            (_x, _kept) = (x, kept);
            _savedX = Save(x.Value);
            _y = Save(output.Value);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            Shape shape = _savedX.Shape;
            var layout = BroadcastLayout.Of(shape, shape, _kept);
            using var mask = dy.Device.Empty(shape);
            using var share = dy.Device.Empty(dy.Shape);
            kernels.Elementwise.Binary<Equal>(_savedX, _y, mask, false, layout);
            Span<bool> reduced = stackalloc bool[shape.Rank];
            for (int i = 0; i < reduced.Length; i++)
            {
                reduced[i] = _kept[i] == 1;
            }

            AxisReduction.Sum(kernels, mask, reduced, share, 1, false);
            kernels.Elementwise.Binary<Divide>(dy, share, share, false, BroadcastLayout.Dense(dy.Count));
            var dx = _x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Binary<Multiply>(mask, share, dx, accumulate, layout);
        }
    }
}
