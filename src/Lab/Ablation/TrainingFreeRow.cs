using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Tensors;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// The CLIP alone, beside trained models: the segmenter of `ldvc segment --clip` (docs/training-free.md) with the windows that the trained rows are
/// scored with. It has no seed and no penalty, so it is scored once.
/// </summary>
internal sealed class TrainingFreeRow : IDisposable
{
    private readonly LdvcConfig _config;
    private readonly SegmentationModel _model;

    /// <summary>Loads the CLIP.</summary>
    /// <param name="config">Sections clip, training_free and eval.</param>
    /// <param name="clip">The CLIP's folder or file.</param>
    /// <param name="device">Where to compute.</param>
    /// <exception cref="InputException">There is no CLIP at the path, or it is damaged.</exception>
    internal TrainingFreeRow(LdvcConfig config, string clip, Device device)
    {
        _config = config;
        _model = SegmentationModel.OfClip(config.Clip with { Path = clip }, device, config.TrainingFree, config.Eval);
    }

    /// <summary>The device that it lives on.</summary>
    internal Device Device => _model.Device;

    /// <summary>The row in a plan.</summary>
    /// <param name="config">The configuration of the whole comparison.</param>
    internal static AblationVariant Variant(LdvcConfig config) => new(
        ConfigWriter.EnumName(AblationRow.TrainingFree), AblationVariant.TitleOf(AblationRow.TrainingFree), null, "", config, Seeds: 1);

    /// <summary>What its scores depend on besides the options that those of trained rows depend on.</summary>
    internal static string Settings(LdvcConfig config) => JsonSerializer.Serialize(ConfigWriter.ToDictionary(config.TrainingFree), JsonText.Plain);

    /// <summary>Prepares inference; the caller disposes of the result first.</summary>
    /// <param name="dataset">Gives the classes.</param>
    /// <param name="names">Names to encode instead, one a class.</param>
    internal Segmenter CreateSegmenter(SegmentationDataset dataset, IReadOnlyList<string>? names = null) => _model.CreateSegmenter(
        names is null ? dataset.Classes : new ClassList(names, dataset.Name), _ => _config.Eval with { SeenPenalty = 0 });

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
