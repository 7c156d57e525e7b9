using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>
/// Segmentation with a frozen CLIP alone (docs/training-free.md): mask logits are the cosines of patches, which the last block computed by another
/// attention, and class names.
/// </summary>
internal sealed class TrainingFreeModel : IMaskModel, IDisposable
{
    private readonly TrainingFreeConfig _config;
    private readonly string _folder;
    private readonly Task<ClipTokenizer>? _reading;
    private ClipTokenizer? _tokenizer;

    /// <summary>Takes ownership of a CLIP.</summary>
    /// <param name="clip">The CLIP.</param>
    /// <param name="folder">Where its tokenizer's files are.</param>
    /// <param name="config">Section training_free.</param>
    /// <param name="reading">The tokenizer, if it is being read already.</param>
    internal TrainingFreeModel(ClipModel clip, string folder, TrainingFreeConfig config, Task<ClipTokenizer>? reading = null) =>
        (Clip, _folder, _config, _reading) = (clip, folder, config, reading);

    /// <inheritdoc/>
    public ClipModel Clip { get; }

    /// <summary>What pictures are normalised with, as the CLIP's preprocessing says.</summary>
    internal required Imaging.ImageStatistics Statistics { get; init; }

    /// <summary>What is to be known of its vocabulary, once names have been encoded; null when there is nothing.</summary>
    internal string? Note { get; private set; }

    /// <summary>The device that everything lives on.</summary>
    internal Device Device => Clip.LogitScale.Value.Device;

    /// <summary>Loads a CLIP.</summary>
    /// <param name="clip">Its folder or file.</param>
    /// <param name="device">Where it is to live.</param>
    /// <param name="config">Section training_free.</param>
    /// <param name="activation">Its activation, where its files do not say; null = what they say.</param>
    /// <exception cref="InputException">There is no CLIP at the path, or it is damaged.</exception>
    internal static TrainingFreeModel Load(string clip, Device device, TrainingFreeConfig config, Kernels.Activation? activation = null)
    {
        var checkpoint = ClipCheckpoint.Find(clip);
        Imaging.ImageStatistics statistics = checkpoint.Statistics();

        // The vocabulary is read by one thread while others wait for weights.
        Task<ClipTokenizer> reading = Task.Run(() => ClipTokenizer.Load(checkpoint.Folder));
        return new TrainingFreeModel(checkpoint.Load(device, activation), checkpoint.Folder, config, reading) { Statistics = statistics };
    }

    /// <inheritdoc/>
    public Variable Forward(Tape tape, Tensor image, Variable texts)
    {
        using var scope = tape.BeginScope();
        int patch = Clip.Config.PatchSize, rows = image.Shape[2] / patch, columns = image.Shape[3] / patch;
        var patches = tape.Reshape(EncodePatches(tape, image), image.Shape[0] * rows * columns, Clip.Config.Embedding);
        return scope.Keep(Logits(tape, patches, texts, image.Shape[0], rows, columns));
    }

    /// <summary>Patches [B, N, E] of unit length.</summary>
    internal Variable EncodePatches(Tape tape, Tensor image) => Clip.Visual.EncodePatches(tape, image, _config.Attention, _config.Residual);

    /// <summary>Text features t [C, E] of names: over all templates, renormalised.</summary>
    /// <exception cref="InputException">The CLIP has no vocabulary, or a name is too long.</exception>
    internal Tensor EmbedClasses(IReadOnlyList<string> names, CancellationToken cancellation = default)
    {
        if (_tokenizer is null)
        {
            _tokenizer = _reading is null ? ClipTokenizer.Load(_folder) : _reading.GetAwaiter().GetResult();
            Note = Clip.CheckVocabulary(_tokenizer, _folder);
        }

        string[] templates = TextTemplates.Expand(_config.Template);
        int context = Clip.Config.ContextLength;
        float[] features = TemplateFeatures.Compute(
            Clip, Device, names.Count, templates.Length, (name, t) => _tokenizer.EncodeClass(templates[t], names[name], context), cancellation);
        return Device.FromHost(features, new Shape(names.Count, Clip.Config.Embedding));
    }

    /// <inheritdoc/>
    public void Dispose() => Clip.Dispose();

    // Cosines [B, C, h, w]: patches [B h w, E] and texts [C, E] are unit vectors.
    private static Variable Logits(Tape tape, Variable patches, Variable texts, int batch, int rows, int columns)
    {
        using var scope = tape.BeginScope();
        var cosines = tape.Reshape(tape.MatMulTransposed(patches, texts, 1), batch, rows * columns, texts.Shape[0]);
        return scope.Keep(tape.Reshape(tape.Permute(cosines, 0, 2, 1), batch, texts.Shape[0], rows, columns));
    }
}
