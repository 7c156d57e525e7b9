using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Sums and means over axes.</summary>
public static class SumOp
{
    /// <summary>The sum of x over the axes named, over all of them when none is.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Of any shape.</param>
    /// <param name="axes">Negative ones count from the innermost.</param>
    /// <param name="keepDims">Keeps the axes, as ones.</param>
    public static Variable Sum(this Tape tape, Variable x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Apply(tape, "sum", x, axes, keepDims, mean: false);

    /// <summary>The sum of x over one axis.</summary>
    public static Variable Sum(this Tape tape, Variable x, int axis, bool keepDims = false) => tape.Sum(x, [axis], keepDims);

    /// <summary>The mean of x over the axes named, over all of them when none is.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="x">Of any shape without a zero among the axes.</param>
    /// <param name="axes">Negative ones count from the innermost.</param>
    /// <param name="keepDims">Keeps the axes, as ones.</param>
    public static Variable Mean(this Tape tape, Variable x, ReadOnlySpan<int> axes = default, bool keepDims = false) =>
        Apply(tape, "mean", x, axes, keepDims, mean: true);

    /// <summary>The mean of x over one axis.</summary>
    public static Variable Mean(this Tape tape, Variable x, int axis, bool keepDims = false) => tape.Mean(x, [axis], keepDims);

    private static Variable Apply(Tape tape, string op, Variable x, ReadOnlySpan<int> axes, bool keepDims, bool mean)
    {
        var shape = Guard.Floats(tape, op, x);
        Span<bool> marked = stackalloc bool[shape.Rank];
        Axis.Mark(op, shape, axes, marked);
        long each = 1;
        for (int i = 0; i < shape.Rank; i++)
        {
            each *= marked[i] ? shape[i] : 1;
        }

        if (mean && each == 0)
        {
            throw new ArgumentException($"{op}: there are no elements to average ({shape})");
        }

        float factor = mean ? 1f / each : 1;
        var y = Guard.Result(tape, op, Axis.Reduced(shape, marked, keepDims));
        AxisReduction.Sum(tape.Kernels, x.Value, marked, y, factor, false);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new SumNode(result, x, Axis.Reduced(shape, marked, keepDims: true), factor));
        }

        return result;
    }

    private sealed class SumNode(Variable output, Variable x, Shape kept, float factor) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            var layout = BroadcastLayout.Of(x.Shape, kept, kept);
            if (factor == 1)
            {
                kernels.Elementwise.Binary<First>(dy, dy, dx, accumulate, layout);
                return;
            }

            using var scaled = dy.Device.Empty(dy.Shape);
            kernels.Elementwise.Scale(dy, factor, scaled, false, dy.Count);
            kernels.Elementwise.Binary<First>(scaled, scaled, dx, accumulate, layout);
        }
    }
}
