using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Mean softmax cross-entropy over rows. Rows whose target is ignored count for nothing: the mean is over the others, and NaN where there are none,
/// as in PyTorch.
/// </summary>
public static class CrossEntropyOp
{
    /// <summary>What PyTorch calls ignore_index, and its value there.</summary>
    public const int Ignored = -100;

    /// <summary>logits [..., columns], a target a row, in order -> loss [1].</summary>
    /// <exception cref="ArgumentOutOfRangeException">A target is neither one of the columns nor ignored.</exception>
    public static Variable CrossEntropy(this Tape tape, Variable logits, ReadOnlySpan<int> targets, int ignored = Ignored)
    {
        var shape = Guard.Floats(tape, "cross_entropy", logits);
        int rows = Guard.Rows("cross_entropy", shape, nameof(logits));
        if (targets.Length != rows)
        {
            throw new ArgumentException($"cross_entropy: {targets.Length} targets for the {rows} rows of logits {shape}");
        }

        Check(targets, shape, ignored);
        return Apply(tape, logits, tape.Rent(targets, new Shape(rows)), rows, shape[-1], ignored);
    }

    /// <summary>logits [..., columns], int32 targets [...] -> loss [1].</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// On the CPU: a target is neither one of the columns nor ignored. On a GPU, where the host does not see it, the loss is NaN.
    /// </exception>
    public static unsafe Variable CrossEntropy(this Tape tape, Variable logits, Tensor targets, int ignored = Ignored)
    {
        var shape = Guard.Floats(tape, "cross_entropy", logits);
        int rows = Guard.Rows("cross_entropy", shape, nameof(logits)), columns = shape[-1];
        var given = Guard.Plain(tape, "cross_entropy", targets, DType.Int32, shape.Rank - 1, "as many dimensions as the logits have rows");
        for (int i = 0; i < given.Rank; i++)
        {
            Guard.Size("cross_entropy", given, i, shape[i], $"logits {shape}", nameof(targets));
        }

        if (targets.Device is CpuDevice)
        {
            Check(new ReadOnlySpan<int>(targets.View.Ints, rows), shape, ignored);
        }

        return Apply(tape, logits, tape.Hold(targets.Share()), rows, columns, ignored);
    }

    private static void Check(ReadOnlySpan<int> targets, Shape shape, int ignored)
    {
        for (int row = 0; row < targets.Length; row++)
        {
            if ((uint)targets[row] >= (uint)shape[-1] && targets[row] != ignored)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(targets),
                    $"cross_entropy: target {targets[row]} of row {row} must be 0..{shape[-1] - 1}, or {ignored} to be ignored (logits {shape})");
            }
        }
    }

    // The targets are the tape's (Rent).
    private static Variable Apply(Tape tape, Variable logits, Tensor targets, int rows, int columns, int ignored)
    {
        Tensor loss = tape.Rent(new Shape(1)), statistics = tape.Rent(new Shape(rows + 1));
        tape.Kernels.CrossEntropy.Forward(logits.Value, targets, statistics, loss, rows, columns, ignored);
        var result = tape.Result(loss, logits);
        if (result.RequiresGradient)
        {
            tape.Record(new CrossEntropyNode(result, logits, targets, statistics, ignored));
        }
        else
        {
            targets.Dispose();
            statistics.Dispose();
        }

        return result;
    }

    private sealed class CrossEntropyNode : Node
    {
        private readonly Variable _logits;
        private readonly Tensor _saved;
        private readonly Tensor _targets;
        private readonly Tensor _statistics;
        private readonly int _ignored;

        internal CrossEntropyNode(Variable output, Variable logits, Tensor targets, Tensor statistics, int ignored)
            : base(output)
        {
            (_logits, _ignored) = (logits, ignored);
            _saved = Save(logits.Value);
            _targets = Own(targets);
            _statistics = Own(statistics);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var target = _logits.GradientTarget(out bool accumulate);
            int columns = _saved.Shape[-1];
            kernels.CrossEntropy.Backward(_saved, _targets, _statistics, dy, target, accumulate, (int)(_saved.Count / columns), columns, _ignored);
        }
    }
}
