using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>What a training step needs besides a batch.</summary>
/// <param name="Loaded">The model.</param>
/// <param name="Loss">Weights of the loss.</param>
/// <param name="Texts">Makes the class embeddings on a tape.</param>
/// <param name="Unseen">A flag for each class: whether it takes pseudo labels; null in other settings than transductive.</param>
/// <param name="PseudoLabelMarker">What stands in the labels where a pixel waits for its pseudo label.</param>
internal sealed record StepParts(LoadedModel Loaded, LossConfig Loss, Func<Tape, Variable> Texts, Tensor? Unseen, byte PseudoLabelMarker);

/// <summary>
/// Forward and backward of the pictures that are computed at once: a batch, or the part of one that `train.accumulate` and the job's processes leave.
/// </summary>
/// <param name="step">The model and the loss.</param>
/// <param name="tape">The tape; it is disposed of with this.</param>
internal sealed class BatchPart(StepParts step, Tape tape) : IDisposable
{
    private DataBatch? _batch;
    private Tensor? _labels;
    private Variable? _loss;
    private Tensor? _losses;

    /// <summary>Names of the pictures.</summary>
    internal DataBatch Batch => _batch!;

    /// <summary>The pictures.</summary>
    internal Tensor? Image { get; private set; }

    /// <summary>Class embeddings.</summary>
    internal Variable? Texts { get; private set; }

    /// <summary>Mask logits.</summary>
    internal Variable? Logits { get; private set; }

    /// <summary>Total, focal, dice: [3].</summary>
    internal Tensor Losses => _losses!;

    /// <summary>Computes the loss of the next pictures.</summary>
    /// <param name="inputs">Where they come from.</param>
    /// <param name="count">Whether the pairs of picture and class in the labels are counted, for which the host waits.</param>
    /// <returns>Their number; 0 when they are not counted.</returns>
    /// <exception cref="InputException">A file is bad, or memory is full.</exception>
    internal int Forward(TrainingInputs inputs, bool count)
    {
        (_batch, Image, _labels) = inputs.Take();
        Texts = step.Texts(tape);
        Logits = step.Loaded.Model.Forward(tape, Image, Texts);
        if (step.Unseen is not null)
        {
            var shape = Logits.Shape;
            tape.Kernels.Segmentation.PseudoLabels(
                Logits.Value, _labels, step.Unseen, step.PseudoLabelMarker, shape[0], shape[1], shape[2], shape[3], _batch.Size, _batch.Size);
        }

        LossConfig weights = step.Loss;
        _loss = tape.MaskLoss(Logits, _labels, (float)weights.Focal, (float)weights.Dice, (float)weights.Alpha, out _losses, out Tensor sums);
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
        using Tensor? gradient = share == 1 ? null : tape.Device.FromHost([(float)share], _loss!.Shape);
        tape.Backward(_loss!, gradient);
    }

    /// <summary>The first tensor with NaN or infinity, when the loss has become one.</summary>
    internal string FirstBadTensor()
    {
        static bool Bad(Tensor tensor) => !Finite.All(tensor);
        var parameters = step.Loaded.Model.Parameters().Concat(step.Loaded.Clip.Parameters("clip."));
        if (parameters.FirstOrDefault(p => Bad(p.Parameter.Value)).Name is { } name)
        {
            return $"parameter {name}";
        }

        return Bad(Image!) ? "the picture" : Bad(Texts!.Value) ? "text_embeddings" : Bad(Logits!.Value) ? "mask_logits" : "the loss";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _losses?.Dispose();
        _labels?.Dispose();
        Image?.Dispose();
        _batch?.Dispose();
        tape.Dispose();
    }
}
