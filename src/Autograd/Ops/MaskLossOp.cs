using Ldvc.Kernels;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Upsampling + focal + dice in one operation (method.md 7).</summary>
public static class MaskLossOp
{
    /// <summary>
    /// logits [B, C, h, w], labels uint8 [B, H, W] -> loss [1], and `parts` [3] = total, focal, dice (to be disposed of by the caller).
    /// </summary>
    public static Variable MaskLoss(this Tape tape, Variable logits, Tensor labels, float focalWeight, float diceWeight, float alpha, out Tensor parts)
    {
        var shape = logits.Shape;
        if (shape.Rank != 4 || labels.Shape.Rank != 3 || labels.Shape[0] != shape[0] || labels.DType != DType.UInt8 || shape[1] > 255)
        {
            throw new ArgumentException($"mask loss: logits {shape}, labels {labels.DType} {labels.Shape}; expected [B, C, h, w] with at most 255 classes, and bytes [B, H, W]");
        }

        var sizes = new MaskLossSizes(shape[0], shape[1], shape[2], shape[3], labels.Shape[1], labels.Shape[2], focalWeight, diceWeight, alpha);
        parts = tape.Device.Empty(new Shape(3));
        var sums = tape.Device.Empty(new Shape(shape[0], shape[1], 4));
        tape.Kernels.MaskLoss.Forward(sizes, logits.Value, labels, sums, parts);
        var total = tape.Result(parts.Slice(0, 1), logits);
        if (total.RequiresGradient)
        {
            tape.Record(new MaskLossNode(total, logits, labels, sums, sizes));
        }
        else
        {
            sums.Dispose();
        }

        return total;
    }

    private sealed class MaskLossNode : Node
    {
        private readonly Variable _logits;
        private readonly Tensor _saved;
        private readonly Tensor _labels;
        private readonly Tensor _sums;
        private readonly MaskLossSizes _sizes;

        internal MaskLossNode(Variable output, Variable logits, Tensor labels, Tensor sums, in MaskLossSizes sizes)
            : base(output)
        {
            (_logits, _sizes) = (logits, sizes);
            _saved = Save(logits.Value);
            _labels = Save(labels);
            _sums = Own(sums);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var target = _logits.GradientTarget(out bool accumulate);
            kernels.MaskLoss.Backward(_sizes, _saved, _labels, _sums, dy, target, accumulate);
        }
    }
}
