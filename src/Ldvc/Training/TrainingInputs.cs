using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>
/// Batches of the loader on the device: pictures and labels of the next one are copied while the current one is computed, where the device can.
/// </summary>
internal sealed class TrainingInputs(DataLoader loader, Device device, int unseenMarker) : IDisposable
{
    private readonly InputStage _images = new(device);
    private readonly InputStage _labels = new(device);
    private DataBatch? _staged;

    /// <summary>Time spent waiting for data so far.</summary>
    internal TimeSpan Waited => loader.Waited;

    /// <summary>The next batch: the caller disposes of it.</summary>
    /// <exception cref="InputException">A file of the batch is bad.</exception>
    internal TakenBatch Take()
    {
        if (_staged is null)
        {
            Stage();
        }

        var batch = _staged!;
        _staged = null;
        return new TakenBatch(batch, _images.Take(), _labels.Take());
    }

    /// <summary>
    /// Starts copying the batch after the one taken last. A bad file shows when that batch is taken: the current step must not pay for it.
    /// </summary>
    internal void CopyAhead()
    {
        if (!_images.CopiesAhead || _staged is not null)
        {
            return;
        }

        try
        {
            Stage();
        }
        catch (InputException)
        {
            // The loader says it again when asked again.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        loader.Dispose();
        _staged?.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }

    private void Stage()
    {
        var batch = loader.Next();
        int plane = batch.Size * batch.Size;
        _images.Stage<float>(batch.Images.AsSpan(0, batch.Count * 3 * plane), new Shape(batch.Count, 3, batch.Size, batch.Size), DType.Float32);
        var shape = new Shape(batch.Count, batch.Size, batch.Size);
        if (batch.WideLabels is { } wide)
        {
            _labels.Stage<int>(Marked<int>(wide.AsSpan(0, batch.Count * plane), batch.Unseen, unseenMarker), shape, DType.Int32);
        }
        else
        {
            _labels.Stage<byte>(Marked<byte>(batch.Labels.AsSpan(0, batch.Count * plane), batch.Unseen, (byte)unseenMarker), shape, DType.UInt8);
        }

        _staged = batch;
    }

    // Unseen pixels get the number under which they wait for a pseudo label.
    private static Span<T> Marked<T>(Span<T> labels, byte[]? unseen, T marker)
    {
        for (int i = 0; unseen is not null && i < labels.Length; i++)
        {
            labels[i] = unseen[i] != 0 ? marker : labels[i];
        }

        return labels;
    }
}
