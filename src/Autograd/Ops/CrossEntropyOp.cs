using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Mean softmax cross-entropy over rows.</summary>
public static class CrossEntropyOp
{
    private const string Name = "cross_entropy";

    /// <summary>logits [rows, columns], one target in 0 .. columns - 1 a row -> loss [1].</summary>
    public static Variable CrossEntropy(this Tape tape, Variable logits, ReadOnlySpan<int> targets)
    {
        var shape = Guard.Floats(tape, Name, logits, 2, "[rows, columns]");
        int rows = Guard.NotEmpty(Name, shape, 0, nameof(logits)), columns = Guard.NotEmpty(Name, shape, 1, nameof(logits));
        if (targets.Length != rows)
        {
            throw new ArgumentException($"{Name}: targets must have one element a row of logits {shape}, got {targets.Length}");
        }

        Guard.Indices(Name, targets, columns, shape);
        var loss = tape.Device.Empty(new Shape(1));
        var logSumExp = tape.Device.Empty(new Shape(rows));
        var at = tape.Device.FromHost(targets, new Shape(rows));
        tape.Kernels.CrossEntropy.Forward(logits.Value, at, logSumExp, loss, rows, columns);
        var result = tape.Result(loss, logits);
        if (result.RequiresGradient)
        {
            tape.Record(new CrossEntropyNode(result, logits, at, logSumExp));
        }
        else
        {
            at.Dispose();
            logSumExp.Dispose();
        }

        return result;
    }

    private sealed class CrossEntropyNode : Node
    {
        private readonly Variable _logits;
        private readonly Tensor _saved;
        private readonly Tensor _targets;
        private readonly Tensor _logSumExp;

        internal CrossEntropyNode(Variable output, Variable logits, Tensor targets, Tensor logSumExp)
            : base(output)
        {
            _logits = logits;
            _saved = Save(logits.Value);
            _targets = Own(targets);
            _logSumExp = Own(logSumExp);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var target = _logits.GradientTarget(out bool accumulate);
            kernels.CrossEntropy.Backward(_saved, _targets, _logSumExp, dy, target, accumulate, _saved.Shape[0], _saved.Shape[1]);
        }
    }
}
