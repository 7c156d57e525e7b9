using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>The transpose of a matrix: the picture-to-text logits read as text-to-picture.</summary>
public static class TransposeOp
{
    /// <summary>x [R, C] -> [C, R].</summary>
    public static Variable Transpose(this Tape tape, Variable x)
    {
        int rows = x.Shape[0], columns = x.Shape[1];
        var y = tape.Device.Empty(new Shape(columns, rows));
        Copy(tape.Kernels, x.Value, y, rows, columns, false);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new TransposeNode(result, x, rows, columns));
        }

        return result;
    }

    // A transpose is rows * columns blocks of one float: row by row, one strided copy each.
    private static void Copy(KernelSet kernels, Tensor source, Tensor target, int rows, int columns, bool accumulate)
    {
        for (int row = 0; row < rows; row++)
        {
            kernels.Tokens.CopyBlocks(source.View.Shift((long)row * columns), 1, target.View.Shift(row), rows, columns, 1, accumulate);
        }
    }

    private sealed class TransposeNode(Variable output, Variable x, int rows, int columns) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            Copy(kernels, dy, dx, columns, rows, accumulate);
        }
    }
}
