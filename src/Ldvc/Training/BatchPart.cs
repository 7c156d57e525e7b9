using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>What a training step needs besides a batch.</summary>
/// <param name="Loaded">The model.</param>
/// <param name="Loss">Weights of the loss.</param>
/// <param name="Texts">Makes the class embeddings on a tape.</param>
/// <param name="Unseen">A flag for each class: whether it takes pseudo labels; null in other settings than transductive.</param>
/// <param name="PseudoLabelMarker">What stands in the labels where a pixel waits for its pseudo label.</param>
internal sealed record StepParts(LoadedModel Loaded, LossConfig Loss, Func<Tape, Variable> Texts, Tensor? Unseen, int PseudoLabelMarker);

/// <summary>
/// Forward and backward of the pictures that are computed at once: a batch, or the part of one that `train.accumulate` and the job's processes leave.
/// </summary>
/// <param name="step">The model and the loss.</param>
/// <param name="tape">The tape; it is disposed of with this.</param>
internal sealed class BatchPart(StepParts step, Tape tape) : IDisposable
{
    private Tensor? _images;
    private Variable? _texts;
    private Variable? _logits;
    private Variable? _loss;
    private Tensor? _losses;

    /// <summary>Total, focal, dice: [3].</summary>
    internal Tensor Losses => _losses!;

    /// <summary>Handles to what the loss was computed from, to be disposed of by the caller.</summary>
    internal PartTensors Tensors => new(_images!.Share(), _texts!.Value.Share(), _logits!.Value.Share());

    /// <summary>Computes the loss of some pictures.</summary>
    /// <param name="images">[B, 3, H, H]; the caller's.</param>
    /// <param name="labels">uint8 or int32 [B, H, H]; the caller's. Pixels that wait for a pseudo label get one.</param>
    /// <param name="count">Whether the pairs of picture and class in the labels are counted, for which the host waits.</param>
    /// <returns>Their number; 0 when they are not counted.</returns>
    /// <exception cref="InputException">Memory is full.</exception>
    internal int Forward(Tensor images, Tensor labels, bool count)
    {
        _images = images;
        _texts = step.Texts(tape);
        _logits = step.Loaded.Model.Forward(tape, images, _texts);
        if (step.Unseen is not null)
        {
            var shape = _logits.Shape;
            tape.Kernels.Segmentation.PseudoLabels(
                _logits.Value, labels, step.Unseen, step.PseudoLabelMarker, shape[0], shape[1], shape[2], shape[3], labels.Shape[1], labels.Shape[2]);
        }

        LossConfig weights = step.Loss;
        _loss = tape.MaskLoss(_logits, labels, (float)weights.Focal, (float)weights.Dice, (float)weights.Alpha, out _losses, out Tensor sums);
        using (sums)
        {
            return count ? MaskLossOp.PresentPairs(sums) : 0;
        }
    }

    /// <summary>Adds to the gradients of the parameters.</summary>
    /// <param name="share">What the loss counts times.</param>
    internal void Backward(double share)
    {
        using DeviceRange range = tape.Device.Range("backward");
        if (share == 1)
        {
            tape.Backward(_loss!);
            return;
        }

        using Tensor gradient = tape.Device.FromHost([(float)share], _loss!.Shape);
        tape.BackwardFrom(_loss!, gradient);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _losses?.Dispose();
        tape.Dispose();
    }
}
