using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;

namespace Ldvc.Lab.Synthetic;

/// <summary>The synthetic scenes, drawn on demand, as a data set like the others.</summary>
internal sealed class SyntheticDataset : SegmentationDataset
{
    private readonly SceneDataset _scenes;

    /// <summary>Wraps one part of the scenes.</summary>
    public SyntheticDataset(SceneDataset scenes)
    {
        _scenes = scenes;
        Name = $"{scenes.Name}/{scenes.Split}";
        Classes = new ClassList(scenes.Classes, scenes.Name);
        Split = ZeroShotSplit.WithUnseen(Classes.Count, [.. Enumerable.Range(0, Classes.Count).Skip(scenes.SeenCount)], scenes.Name);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override ClassList Classes { get; }

    /// <inheritdoc/>
    public override ZeroShotSplit Split { get; }

    /// <inheritdoc/>
    public override int Count => _scenes.Count;

    /// <inheritdoc/>
    public override string GetId(int index) => _scenes.GetId(index);

    /// <inheritdoc/>
    public override RgbImage ReadImage(int index) => _scenes.ReadImage(index);

    /// <inheritdoc/>
    public override LabelMap ReadLabels(int index) => _scenes.ReadLabels(index);

    /// <inheritdoc/>
    public override (RgbImage Image, LabelMap Labels) Read(int index) => _scenes.Read(index);
}
