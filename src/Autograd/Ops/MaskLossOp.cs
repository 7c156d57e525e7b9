using Ldvc.Kernels;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Upsampling + focal + dice in one operation (method.md 7).</summary>
public static class MaskLossOp
{
    private const string Name = "mask_loss";

    /// <summary>
    /// logits [B, C, h, w], labels uint8 or int32 [B, H, W] -> loss [1], and `parts` [3] = total, focal, dice (to be disposed of by the caller).
    /// A label is a class, 0 .. C - 1, or says that the pixel belongs to none: 255 in bytes, which hold at most 255 classes, 65535 in integers.
    /// Others are refused on the CPU; on a GPU, where looking for them would stop the host, they count as no class. They are compared with classes
    /// and never used as addresses.
    /// </summary>
    public static Variable MaskLoss(
        this Tape tape, Variable logits, Tensor labels, float focalWeight, float diceWeight, float alpha, out Tensor parts)
    {
        Variable loss = MaskLoss(tape, logits, labels, focalWeight, diceWeight, alpha, out parts, out Tensor sums);
        sums.Dispose();
        return loss;
    }

    /// <summary>
    /// The same, and `sums` [B, C, 4] of each pair of picture and class (to be disposed of by the caller): see <see cref="PresentPairs"/>.
    /// </summary>
    internal static Variable MaskLoss(
        this Tape tape, Variable logits, Tensor labels, float focalWeight, float diceWeight, float alpha, out Tensor parts, out Tensor sums)
    {
        DType type = labels?.DType == DType.Int32 ? DType.Int32 : DType.UInt8;
        Shape shape = Guard.Floats(tape, Name, logits, 4, "[B, C, h, w]"), image = Guard.Plain(tape, Name, labels, type, 3, "[B, H, W]");
        for (int i = 0; i < 4; i++)
        {
            Guard.NotEmpty(Name, shape, i, nameof(logits));
        }

        Guard.Size(Name, image, 0, shape[0], "the batch of logits", nameof(labels));
        Guard.NotEmpty(Name, image, 1, nameof(labels));
        Guard.NotEmpty(Name, image, 2, nameof(labels));
        if (type == DType.UInt8 && shape[1] > LabelWidth.MaxInBytes)
        {
            throw new ArgumentException($"{Name}: logits must have at most {LabelWidth.MaxInBytes} classes beside labels of bytes, got {shape}");
        }

        Guard.Finite(Name, focalWeight, shape);
        Guard.Finite(Name, diceWeight, shape);
        Guard.Finite(Name, alpha, shape);
        int none = type == DType.UInt8 ? LabelWidth.MaxInBytes : LabelWidth.WideNone;
        if (labels.HostValueBesides(shape[1], none) is { } wrong)
        {
            throw new ArgumentException($"{Name}: labels must be 0..{shape[1] - 1} or {none}, got {wrong} (logits {shape}, labels {image})");
        }

        var sizes = new MaskLossSizes(shape[0], shape[1], shape[2], shape[3], image[1], image[2], focalWeight, diceWeight, alpha);
        parts = tape.Rent(new Shape(3));
        sums = tape.Rent(new Shape(shape[0], shape[1], 4));
        tape.Kernels.MaskLoss.Forward(sizes, logits.Value, labels, sums, parts);
        var total = tape.Result(parts.Slice(0, 1), logits);
        if (total.RequiresGradient)
        {
            tape.Record(new MaskLossNode(total, logits, labels, sums.Share(), sizes));
        }

        return total;
    }

    /// <summary>
    /// Pairs of picture and class that occur in the labels, from `sums`: 0 or more. The loss divides by this number, at least 1 (n of method.md 7);
    /// the loss of a batch whose parts are computed apart is the sum of their losses, each times its own divisor over that of all pairs. Waits for
    /// the device.
    /// </summary>
    internal static int PresentPairs(Tensor sums)
    {
        int present = 0;
        float[] values = sums.ToArray();
        for (int i = 2; i < values.Length; i += 4)
        {
            present += values[i] > 0 ? 1 : 0;
        }

        return present;
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
