using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>What segments pictures with any names: a trained model, or a CLIP alone. Lists of classes become segmenters.</summary>
internal sealed class SegmentationModel : IDisposable
{
    private readonly LoadedModel? _loaded;
    private readonly TrainingFreeModel? _free;
    private readonly TrainingFreeConfig _config = new();
    private readonly EvalConfig _eval = new();

    private SegmentationModel(LdvcCheckpoint checkpoint, LoadedModel loaded) => (Checkpoint, _loaded, Device) = (checkpoint, loaded, loaded.Device);

    private SegmentationModel(TrainingFreeModel free, TrainingFreeConfig config, EvalConfig eval) =>
        (_free, _config, _eval, Device) = (free, config, eval, free.Device);

    /// <summary>The checkpoint of a trained model; null = a CLIP alone.</summary>
    internal LdvcCheckpoint? Checkpoint { get; }

    /// <summary>What is to be known of its CLIP's vocabulary, once there is a segmenter; null when there is nothing.</summary>
    internal string? Note => _loaded?.Note ?? _free?.Note;

    /// <summary>The device that it lives on.</summary>
    internal Device Device { get; }

    /// <summary>The threshold below which pixels have no class, where nobody asks for another; null = there is none.</summary>
    internal double? Background => Checkpoint is { } checkpoint ? checkpoint.Config.Eval.Background : _config.Background;

    /// <summary>A trained model.</summary>
    /// <param name="checkpoint">Must live as long as the result.</param>
    /// <param name="device">Where it is to live.</param>
    /// <param name="clip">The CLIP's folder or file; null = where it lay in training.</param>
    /// <exception cref="InputException">The CLIP is missing or another one; the checkpoint is damaged.</exception>
    internal static SegmentationModel Trained(LdvcCheckpoint checkpoint, Device device, string? clip) =>
        new(checkpoint, checkpoint.LoadModel(device, clip));

    /// <summary>A CLIP alone.</summary>
    /// <param name="clip">The CLIP: its path, and its activation where its files do not tell.</param>
    /// <param name="device">Where it is to live.</param>
    /// <param name="config">How patches and names are compared.</param>
    /// <param name="eval">Section eval: what section training_free leaves open.</param>
    /// <exception cref="InputException">There is no CLIP at the path, or it is damaged.</exception>
    internal static SegmentationModel OfClip(ClipConfig clip, Device device, TrainingFreeConfig config, EvalConfig eval) =>
        new(TrainingFreeModel.Load(clip.Path!, device, config, LoadedModel.KernelActivation(clip.Activation)), config, eval);

    /// <summary>Encodes the names and prepares inference; the caller disposes of the result first.</summary>
    /// <exception cref="InputException">A name is too long, or the CLIP has no vocabulary.</exception>
    /// <param name="classes">The classes; their order gives the indices.</param>
    /// <param name="adapt">Changes section eval; null = as it is.</param>
    /// <param name="ignored">So many classes at the end of the list are computed and then count as no label.</param>
    internal Segmenter CreateSegmenter(ClassList classes, Func<EvalConfig, EvalConfig>? adapt = null, int ignored = 0) => Checkpoint is { } checkpoint
        ? FreeVocabulary.CreateSegmenter(checkpoint, _loaded!, classes, adapt, ignored)
        : FreeVocabulary.CreateSegmenter(_free!, _config, _eval, classes, adapt, ignored);

    /// <summary>As <see cref="CreateSegmenter"/>; the encoding may be ended between two batches of names.</summary>
    internal Segmenter Prepare(ClassList classes, CancellationToken cancellation) => Checkpoint is { } checkpoint
        ? FreeVocabulary.Prepare(checkpoint, _loaded!, classes, null, 0, cancellation)
        : FreeVocabulary.Prepare(_free!, _config, _eval, classes, null, 0, cancellation);

    /// <summary>Whether masks of a class were shown in training; no class of a CLIP alone was.</summary>
    internal bool IsSeen(ClassName name) => Checkpoint is { } checkpoint && FreeVocabulary.IsSeen(checkpoint.Seen, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        _loaded?.Dispose();
        _free?.Dispose();
    }
}
