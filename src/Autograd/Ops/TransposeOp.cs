using Ldvc.Kernels;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>The transpose of a matrix: the picture-to-text logits read as text-to-picture.</summary>
public static class TransposeOp
{
    private const string Name = "transpose";

    /// <summary>x [R, C] -> [C, R].</summary>
    public static Variable Transpose(this Tape tape, Variable x)
    {
        var shape = Guard.Floats(tape, Name, x, 2, "[R, C]");
        int rows = shape[0], columns = shape[1];
        var y = Guard.Result(tape, Name, new Shape(columns, rows));
        Copy(tape.Kernels, x.Value, y, rows, columns, false);
        var result = tape.Result(y, x);
        if (result.RequiresGradient)
        {
            tape.Record(new TransposeNode(result, x, rows, columns));
        }

        return result;
    }

    // A transpose is rows * columns blocks of one float: for each row, a strided copy.
    private static void Copy(KernelSet kernels, Tensor source, Tensor target, int rows, int columns, bool accumulate) =>
        kernels.Tokens.CopyBlocks(source, 1, target, rows, columns, 1, accumulate, new BlockRepeat(rows, columns, 1));

    private sealed class TransposeNode(Variable output, Variable x, int rows, int columns) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var dx = x.GradientTarget(out bool accumulate);
            Copy(kernels, dy, dx, columns, rows, accumulate);
        }
    }
}
