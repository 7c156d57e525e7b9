using Ldvc.Imaging;

namespace Ldvc.Data;

/// <summary>A data set under another split of its classes (option data.unseen).</summary>
internal sealed class ResplitDataset(SegmentationDataset inner, ZeroShotSplit split) : SegmentationDataset
{
    /// <inheritdoc/>
    public override string Name => inner.Name;

    /// <inheritdoc/>
    public override ClassList Classes => inner.Classes;

    /// <inheritdoc/>
    public override ZeroShotSplit Split => split;

    /// <inheritdoc/>
    public override int Count => inner.Count;

    /// <inheritdoc/>
    public override string GetId(int index) => inner.GetId(index);

    /// <inheritdoc/>
    public override RgbImage ReadImage(int index) => inner.ReadImage(index);

    /// <inheritdoc/>
    public override LabelMap ReadLabels(int index) => inner.ReadLabels(index);

    /// <inheritdoc/>
    public override (RgbImage Image, LabelMap Labels) Read(int index) => inner.Read(index);

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
}
