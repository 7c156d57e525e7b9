using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// CLIP's features of picture files and texts, L2-normalised, with the checkpoint's own preprocessing and tokenizer. Works in batches, so that memory
/// does not grow with the number of inputs.
/// </summary>
public sealed class ClipEmbedder : IDisposable
{
    // About what sixteen pictures of 224 x 224 take, and as many texts of usual length.
    private const int BatchPixels = 16 * 224 * 224;
    private const int BatchTexts = 64;
    private const int MaxBatch = 64;

    private readonly ClipCheckpoint _checkpoint;
    private readonly ClipModel _clip;
    private readonly Device _device;
    private ClipTokenizer? _tokenizer;
    private bool _disposed;

    private ClipEmbedder(ClipCheckpoint checkpoint, ClipModel clip, Device device) => (_checkpoint, _clip, _device) = (checkpoint, clip, device);

    /// <summary>E, the length of every feature.</summary>
    public int Width => _clip.Config.Embedding;

    /// <summary>What is to be known of its vocabulary, once texts have been encoded; null when there is nothing.</summary>
    internal string? Note { get; private set; }

    /// <summary>Loads a CLIP's weights; preprocessing and tokenizer are read when they are needed.</summary>
    /// <exception cref="InputException">There is no CLIP, or it is damaged.</exception>
    public static ClipEmbedder Load(string path, Device device) => Load(path, device, null);

    /// <summary>Loads the weights of a CLIP that lies without a configuration, so that only the caller knows its activation.</summary>
    /// <exception cref="InputException">There is no CLIP, it is damaged, or its files say another activation.</exception>
    public static ClipEmbedder Load(string path, Device device, Activation activation) => Load(path, device, (Activation?)activation);

    internal static ClipEmbedder Load(string path, Device device, Activation? activation, ClipTowers towers = ClipTowers.Both)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(device);
        _ = activation is { } told ? ActivationNames.Checked(told) : default;
        var checkpoint = ClipCheckpoint.Find(path);
        return new ClipEmbedder(checkpoint, checkpoint.Load(device, activation, towers: towers), device);
    }

    /// <summary>Features of picture files, [n, E] in their order.</summary>
    /// <exception cref="InputException">
    /// Some files are no pictures that can be read, which the message names, or the device's precision does not hold their numbers.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
    public float[] EmbedImages(IReadOnlyList<string> files, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var preprocessor = PreprocessorConfigReader.Load(_checkpoint.Folder, _clip.Config);
        var features = new float[files.Count * Width];
        int batch = Math.Clamp(BatchPixels / (preprocessor.Crop.Height * preprocessor.Crop.Width), 1, MaxBatch);
        var failures = new List<InputException>();
        for (int first = 0; first < files.Count; first += batch)
        {
            int count = Math.Min(batch, files.Count - first);
            var pictures = new float[count * preprocessor.Length];
            for (int i = 0; i < count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                string file = files[first + i];
                try
                {
                    preprocessor.ToTensor(ImageReader.Read(file), file, pictures.AsSpan(i * preprocessor.Length, preprocessor.Length));
                }
                catch (InputException e)
                {
                    failures.Add(e);
                }
            }

            if (failures.Count > 0)
            {
                // The rest is read for what else is wrong.
                continue;
            }

            using var tape = new Tape(_device, recording: false);
            using var tensor = _device.FromHost(pictures, new Shape(count, 3, preprocessor.Crop.Height, preprocessor.Crop.Width));
            tape.L2Normalize(_clip.Visual.Encode(tape, tensor)).Value.CopyToHost(features.AsSpan(first * Width, count * Width));
        }

        if (failures.Count > 0)
        {
            throw PictureFailures.Together(failures);
        }

        Fp16Overflow.Refuse(_device);
        return features;
    }

    /// <summary>Features of texts, [m, E] in their order.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="truncate">Cuts a text that is longer than the context, as OpenAI's `tokenize(..., truncate=True)`; otherwise it is an
    /// error.</param>
    /// <param name="cancellation">Told to stop.</param>
    /// <exception cref="InputException">The checkpoint has no tokenizer, or one that does not fit, a text is too long, or the device's precision does
    /// not hold its numbers.</exception>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
    public float[] EmbedTexts(IReadOnlyList<string> texts, bool truncate = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var tokenizer = Tokenizer();
        int context = _clip.Config.ContextLength;
        var features = new float[texts.Count * Width];
        for (int first = 0; first < texts.Count; first += BatchTexts)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(BatchTexts, texts.Count - first);
            var ids = new int[count * context];
            for (int i = 0; i < count; i++)
            {
                string text = texts[first + i] ?? throw new ArgumentNullException(nameof(texts), $"embed texts: text {first + i} is null");
                (truncate ? tokenizer.Encode(text, context) : tokenizer.EncodeWhole(text, context, $"text {ConfigText.Quote(text)}"))
                    .CopyTo(ids, i * context);
            }

            using var tape = new Tape(_device, recording: false);
            var encoded = _clip.Text.Encode(tape, TokenTree.Create(TokenBatch.Create(ids, count)));
            tape.L2Normalize(encoded).Value.CopyToHost(features.AsSpan(first * Width, count * Width));
        }

        Fp16Overflow.Refuse(_device);
        return features;
    }

    /// <summary>Features of class names, [n, E]: for each, the mean of the unit vectors of all templates, renormalised.</summary>
    /// <param name="names">The names.</param>
    /// <param name="templates">Sentences with {class} in each, or imagenet-80 for OpenAI's 80 for ImageNet.</param>
    /// <param name="cancellation">Told to stop.</param>
    /// <exception cref="InputException">A template has no {class}, the checkpoint has no tokenizer, or a sentence is too long.</exception>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
    public float[] EmbedClasses(IReadOnlyList<string> names, IReadOnlyList<string> templates, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(templates);
        ObjectDisposedException.ThrowIf(_disposed, this);
        for (int i = 0; i < names.Count; i++)
        {
            _ = names[i] ?? throw new ArgumentNullException(nameof(names), $"embed classes: name {i} is null");
        }

        string[] sentences = TextTemplates.Expand(TextTemplates.Checked([.. templates], nameof(templates)));
        var tokenizer = Tokenizer();
        int context = _clip.Config.ContextLength;
        return TemplateFeatures.Compute(
            _clip, _device, names.Count, sentences.Length, (name, t) => tokenizer.EncodeClass(sentences[t], names[name], context), cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _clip.Dispose();
    }

    // To read a vocabulary of 50000 takes longer than to encode a text: once is enough. Two threads that come first both read the same.
    private ClipTokenizer Tokenizer()
    {
        var tokenizer = _tokenizer ?? ClipTokenizer.Load(_checkpoint.Folder);
        Note = _clip.CheckVocabulary(tokenizer, _checkpoint.Folder);
        return _tokenizer = tokenizer;
    }
}
