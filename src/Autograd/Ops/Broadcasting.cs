using System.Runtime.CompilerServices;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>What operations of two operands share: NumPy's rules for their shapes, and gradients that are summed over what was repeated.</summary>
internal static class Broadcasting
{
    /// <summary>f(a, b), in memory of its own.</summary>
    internal static Tensor Apply<TFunction>(Tape tape, string op, Variable a, Variable b)
        where TFunction : struct, IBinaryFunction
    {
        Shape first = Guard.Floats(tape, op, a), second = Guard.Floats(tape, op, b), shape = ShapeOf(op, first, second);
        var y = Guard.Result(tape, op, shape);
        tape.Kernels.Elementwise.Binary<TFunction>(a.Value, b.Value, y, false, BroadcastLayout.Of(shape, first, second));
        return y;
    }

    /// <summary>A number as an operand of any shape; the tape owns it. Infinities are numbers here: masks are made of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is NaN; the message names the calling method.</exception>
    internal static Variable Scalar(Tape tape, float value, [CallerMemberName] string op = "")
    {
        ArgumentNullException.ThrowIfNull(tape);
        if (float.IsNaN(value))
        {
            throw new ArgumentOutOfRangeException(nameof(value), $"{op}: value must be a number, got NaN");
        }

        var scalar = tape.Rent(new Shape([]));
        tape.Kernels.Elementwise.Fill(scalar, value, 1);
        return tape.Constant(scalar);
    }

    /// <summary>The shape that two shapes are repeated to: from the innermost dimension on, sizes agree, or one of them is 1 or missing.</summary>
    internal static Shape ShapeOf(string op, Shape a, Shape b)
    {
        Span<int> sizes = stackalloc int[Math.Max(a.Rank, b.Rank)];
        for (int i = 1; i <= sizes.Length; i++)
        {
            int first = i <= a.Rank ? a[-i] : 1, second = i <= b.Rank ? b[-i] : 1;
            sizes[^i] = first == second || second == 1 ? first : first == 1 ? second
                : throw new ArgumentException(
                    $"{op}: shapes {a} and {b} do not broadcast: sizes {first} and {second} at axis {-i} must be equal, or one of them 1");
        }

        return new Shape(sizes);
    }

    /// <summary>Adds factor * gradient to the gradient of an operand, summed over the dimensions along which it was repeated.</summary>
    internal static void AddGradient(KernelSet kernels, Variable operand, Tensor gradient, float factor = 1)
    {
        if (operand.Shape.Count == gradient.Count && factor == 1)
        {
            operand.AddGradient(gradient);
            return;
        }

        var target = operand.GradientTarget(out bool accumulate);
        Span<bool> repeated = stackalloc bool[gradient.Shape.Rank];
        for (int i = 1; i <= repeated.Length; i++)
        {
            repeated[^i] = i > operand.Shape.Rank || operand.Shape[-i] == 1;
        }

        AxisReduction.Sum(kernels, gradient, repeated, target, factor, accumulate);
    }

    /// <summary>
    /// Adds factor * f(a, b) to the gradient of an operand, as <see cref="AddGradient"/> does; in one pass where nothing was repeated.
    /// </summary>
    internal static void AddGradient<TFunction>(KernelSet kernels, Variable operand, Shape result, Tensor a, Tensor b, float factor = 1)
        where TFunction : struct, IBinaryFunction
    {
        var layout = BroadcastLayout.Of(result, a.Shape, b.Shape);
        if (operand.Shape.Count == result.Count && factor == 1)
        {
            var target = operand.GradientTarget(out bool accumulate);
            kernels.Elementwise.Binary<TFunction>(a, b, target, accumulate, layout);
            return;
        }

        using var full = a.Device.Empty(result);
        kernels.Elementwise.Binary<TFunction>(a, b, full, false, layout);
        AddGradient(kernels, operand, full, factor);
    }
}
