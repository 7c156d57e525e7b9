using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Dimensions in another order.</summary>
public static class PermuteOp
{
    /// <summary>Dimension i of the result is dimension axes[i] of x; each is named once.</summary>
    public static Variable Permute(this Tape tape, Variable x, params ReadOnlySpan<int> axes)
    {
        var shape = Guard.Floats(tape, "permute", x);
        if (axes.Length != shape.Rank)
        {
            throw new ArgumentException($"permute: expected {shape.Rank} axes for {shape}, got {axes.Length}");
        }

        Span<int> order = stackalloc int[axes.Length], sizes = stackalloc int[axes.Length];
        Span<bool> named = stackalloc bool[axes.Length];
        Axis.Mark("permute", shape, axes, named);
        var inverse = new int[axes.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            order[i] = Axis.Of("permute", shape, axes[i]);
            (sizes[i], inverse[order[i]]) = (shape[order[i]], i);
        }

        var y = tape.Rent(new Shape(sizes));
        tape.Kernels.Elementwise.Binary<First>(x.Value, x.Value, y, false, BroadcastLayout.Permuted(shape, order));
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new PermuteNode(result, x, inverse));
        }

        return result;
    }

    private sealed class PermuteNode(Variable output, Variable x, int[] inverse) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            kernels.Elementwise.Binary<First>(dy, dy, dx, accumulate, BroadcastLayout.Permuted(dy.Shape, inverse));
        }
    }
}
