using Ldvc.Imaging;

namespace Ldvc.Data;

/// <summary>
/// Keeps decoded pictures in memory (option data.cache). Pictures are kept until the limit is reached, and the rest is read every time: an epoch
/// reads every picture once, so evicting one for another would gain nothing.
/// </summary>
/// <param name="inner">What is kept; its pictures are never written to.</param>
/// <param name="limit">Maximum bytes of pixels and labels to keep.</param>
internal sealed class CachedDataset(SegmentationDataset inner, long limit) : SegmentationDataset
{
    private readonly (RgbImage Image, LabelMap Labels)?[] _kept = new (RgbImage, LabelMap)?[inner.Count];
    private readonly Lock _gate = new();
    private long _bytes;

    /// <inheritdoc/>
    public override string Name => inner.Name;

    /// <inheritdoc/>
    public override ClassList Classes => inner.Classes;

    /// <inheritdoc/>
    public override ZeroShotSplit Split => inner.Split;

    /// <inheritdoc/>
    public override int Count => inner.Count;

    /// <summary>Bytes of pixels and labels that are kept.</summary>
    internal long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <inheritdoc/>
    public override string GetId(int index) => inner.GetId(index);

    /// <inheritdoc/>
    public override RgbImage ReadImage(int index) => Find(index)?.Image ?? inner.ReadImage(index);

    /// <inheritdoc/>
    public override LabelMap ReadLabels(int index) => Find(index)?.Labels ?? inner.ReadLabels(index);

    /// <inheritdoc/>
    public override (RgbImage Image, LabelMap Labels) Read(int index) => Find(index) ?? Keep(index, inner.Read(index));

    /// <inheritdoc/>
    internal override StoredMask ReadStored(int index) => inner.ReadStored(index);

    /// <inheritdoc/>
    internal override string? LabelMeaning => inner.LabelMeaning;

    /// <inheritdoc/>
    internal override string? PairedMask(int index) => inner.PairedMask(index);

    /// <inheritdoc/>
    internal override IEnumerable<string> LeftOut() => inner.LeftOut();

    /// <inheritdoc/>
    internal override string? PictureFile(int index) => inner.PictureFile(index);

    /// <inheritdoc/>
    internal override string? MaskFile(int index) => inner.MaskFile(index);

    /// <inheritdoc/>
    public override void CheckFiles() => inner.CheckFiles();

    private (RgbImage Image, LabelMap Labels)? Find(int index)
    {
        // A nullable pair is more than one word: without the lock a reader could see half of it.
        lock (_gate)
        {
            return _kept[index];
        }
    }

    private (RgbImage Image, LabelMap Labels) Keep(int index, (RgbImage Image, LabelMap Labels) pair)
    {
        long bytes = pair.Image.Pixels.LongLength + pair.Labels.Bytes;
        lock (_gate)
        {
            // Another worker may have read the same picture meanwhile.
            if (_kept[index] is null && _bytes + bytes <= limit)
            {
                _kept[index] = pair;
                _bytes += bytes;
            }
        }

        return pair;
    }
}
