using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>A CLIP, its tokenizer and the LDVC model around it: what every verb that computes needs.</summary>
public sealed class LoadedModel : IDisposable
{
    private const int MostAtOnce = 512;

    private readonly ClipTokenizer? _tokenizer;

    private LoadedModel(
        ClipModel clip, ClipTokenizer? tokenizer, LdvcModel model, ModelConfig config, ClipCheckpoint source, ClassEmbeddings? embeddings)
    {
        (Clip, _tokenizer, Model, Config, Source, Embeddings) = (clip, tokenizer, model, config, source, embeddings);
        Statistics = source.Statistics();
    }

    /// <summary>The frozen CLIP.</summary>
    public ClipModel Clip { get; }

    /// <summary>The CLIP's tokenizer.</summary>
    /// <exception cref="InputException">It has none, which is no error before it is needed where class embeddings come from a file.</exception>
    public ClipTokenizer Tokenizer =>
        _tokenizer ?? throw new InputException($"{Source.Folder}: expected CLIP's vocabulary here, as {VocabularyFiles.Expected}; found none.");

    /// <summary>The trained model around it.</summary>
    public LdvcModel Model { get; }

    /// <summary>Section model of its configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Digest of the vocabulary (<see cref="ClipTokenizer.Digest"/>); null where there is none.</summary>
    internal string? VocabularyDigest => _tokenizer?.Digest();

    /// <summary>Where the CLIP lies.</summary>
    internal ClipCheckpoint Source { get; }

    /// <summary>
    /// Mean and standard deviation of the CLIP's pictures: its own files', or what a checkpoint was trained with, which counts even where the same
    /// weights lie beside another preprocessor_config.json.
    /// </summary>
    internal Imaging.ImageStatistics Statistics { get; set; }

    /// <summary>What is to be known of its CLIP's vocabulary; null when there is nothing.</summary>
    internal string? Note { get; private init; }

    /// <summary>Class embeddings from a file, which are not computed; null = all are.</summary>
    internal ClassEmbeddings? Embeddings { get; }

    /// <summary>The device everything lives on.</summary>
    public Device Device => Clip.LogitScale.Value.Device;

    /// <summary>Loads a CLIP and builds an untrained LDVC model around it.</summary>
    /// <param name="clipPath">The CLIP's folder or file.</param>
    /// <param name="config">Section model.</param>
    /// <param name="device">Where it is to live.</param>
    /// <param name="seed">Seed of the initial values.</param>
    /// <param name="classes">The data set's class names, which are those of the rows of model.class_embeddings; not needed where that is not
    /// set.</param>
    /// <exception cref="InputException">There is no CLIP at the path, a file is damaged, or sizes do not fit together.</exception>
    public static LoadedModel Create(string clipPath, ModelConfig config, Device device, ulong seed, IReadOnlyList<string>? classes = null)
    {
        ArgumentNullException.ThrowIfNull(clipPath);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(device);
        Configuration.ConfigCheck.Model(config);
        return Create(new Configuration.ClipConfig { Path = clipPath }, config, device, seed, classes);
    }

    /// <summary>The same, with an activation that the CLIP's files may not tell.</summary>
    internal static LoadedModel Create(
        Configuration.ClipConfig clip, ModelConfig config, Device device, ulong seed, IReadOnlyList<string>? classes = null) =>
        Create(clip, config, device, seed, ReadEmbeddings(config, classes));

    /// <summary>The same, with class embeddings that have been read already.</summary>
    internal static LoadedModel Create(Configuration.ClipConfig clip, ModelConfig config, Device device, ulong seed, ClassEmbeddings? embeddings) =>
        Create(clip.Path!, clip.Activation, ClipActivation.Auto, config, device, seed, null, embeddings);

    /// <summary>The class embeddings that a configuration names; null when it names none.</summary>
    /// <exception cref="InputException">The file is bad, or the names of its rows are not known.</exception>
    internal static ClassEmbeddings? ReadEmbeddings(
        ModelConfig config, IReadOnlyList<string>? classes) => config.ClassEmbeddings is not { } file ? null
        : classes is null ? throw new InputException(
            $"model.class_embeddings: expected class names for the rows of {ConfigText.Quote(file)}, but none are known here.")
        : ClassEmbeddings.Read(file, classes);

    /// <summary>
    /// The same; an activation for files that do not tell theirs, and the CLIP is looked at before anything is built on it. Without a seed the
    /// trained parts are zeros, to be read from a file.
    /// </summary>
    internal static LoadedModel Create(
        string clipPath,
        ClipActivation activation,
        ClipActivation otherwise,
        ModelConfig config,
        Device device,
        ulong? seed,
        Action<ClipModel>? check,
        ClassEmbeddings? embeddings)
    {
        if (embeddings is not null && config.Prompts.Text > 0)
        {
            throw new InputException($"{embeddings.Source}: class embeddings from a file and text prompts exclude each other; expected "
                + $"model.prompts.text = 0, found {config.Prompts.Text}.");
        }

        var checkpoint = ClipCheckpoint.Find(clipPath);
        // A CLIP that is another one is told as such, whatever lies beside it; otherwise a missing vocabulary is known before weights are read.
        ClipTokenizer? tokenizer = check is null ? Vocabulary() : null;
        Task<ClipTokenizer?>? reading = check is null ? null : Task.Run(Vocabulary);
        var clip = checkpoint.Load(device, KernelActivation(activation), digest: true, KernelActivation(otherwise));
        try
        {
            if (reading is not null)
            {
                check!(clip);
                tokenizer = reading.GetAwaiter().GetResult();
            }

            string? note = clip.CheckVocabulary(tokenizer, clipPath);
            embeddings?.CheckWidth(clip.Config.Embedding, clipPath);

            // Any class serves: the prompts' places lie before the name, and attention is causal.
            TokenBatch? template = tokenizer is null ? null : ClassTexts.Tokenize(tokenizer, config.Template, ["object"], clip.Config.ContextLength);
            Initializer init = seed is { } drawn ? new Initializer(device, drawn) : Initializer.ForLoading(device);
            return new LoadedModel(clip, tokenizer, new LdvcModel(clip, config, init, template), config, checkpoint, embeddings) { Note = note };
        }
        catch
        {
            clip.Dispose();
            throw;
        }

        ClipTokenizer? Vocabulary()
        {
            if (embeddings is not null && !VocabularyFiles.Exist(checkpoint.Folder))
            {
                return null;
            }

            ClipTokenizer found = ClipTokenizer.Load(clipPath);
            ClassTexts.CheckPrompts(found, config.Template, config.Prompts.Text);
            return found;
        }
    }

    /// <summary>The option as the towers name it; null = the CLIP's files decide.</summary>
    internal static Kernels.Activation? KernelActivation(ClipActivation activation) => activation switch
    {
        ClipActivation.QuickGelu => Kernels.Activation.QuickGelu,
        ClipActivation.Gelu => Kernels.Activation.Gelu,
        _ => null,
    };

    /// <summary>Tokenised sentences of class names.</summary>
    internal TokenBatch Tokenize(IReadOnlyList<string> names) => ClassTexts.Tokenize(Tokenizer, Config.Template, names, Clip.Config.ContextLength);

    /// <summary>Class embeddings t [C, E], computed once, for inference; those that come from a file are taken from it.</summary>
    /// <exception cref="InputException">A name is too long for the text encoder, or has to be encoded and the CLIP has no vocabulary.</exception>
    public Tensor EmbedClasses(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0)
        {
            throw new ArgumentException("embed classes: expected at least 1 name, got none", nameof(names));
        }

        for (int i = 0; i < names.Count; i++)
        {
            _ = names[i] ?? throw new ArgumentNullException(nameof(names), $"embed classes: name {i} is null");
        }

        return EncodeClasses(names, CancellationToken.None);
    }

    /// <summary>As <see cref="EmbedClasses"/>; it may be ended between two batches of names.</summary>
    internal Tensor EncodeClasses(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        string[] computed = Embeddings is null ? [.. names] : [.. names.Where(name => Embeddings.Find(name).IsEmpty)];
        if (computed.Length > 0 && _tokenizer is null)
        {
            throw new InputException(
                $"class name {ConfigText.Quote(computed[0])}: is none of the {Embeddings!.Count} that {Embeddings.Source} has embeddings for, and "
                    + $"{Source.Folder} has no vocabulary to "
                + $"encode it with (expected {VocabularyFiles.Expected}).");
        }

        if (computed.Length == names.Count)
        {
            return Encode(names, cancellation);
        }

        float[] encoded = [];
        if (computed.Length > 0)
        {
            using Tensor some = Encode(computed, cancellation);
            encoded = some.ToArray();
        }

        return Device.FromHost(Rows(names, encoded), new Shape(names.Count, Embeddings!.Width));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        Clip.Dispose();
    }

    // One batch for usual lists; the text encoder's activations of very long ones would not fit into memory.
    private Tensor Encode(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        if (TextTemplates.Expand(Config.Template) is { Length: > 1 } templates)
        {
            int context = Clip.Config.ContextLength;
            float[] means = TemplateFeatures.Compute(
                Clip, Device, names.Count, templates.Length, (name, t) => Tokenizer.EncodeClass(templates[t], names[name], context), cancellation);
            return Device.FromHost(means, new Shape(names.Count, Clip.Config.Embedding));
        }

        if (names.Count <= MostAtOnce)
        {
            using var tape = new Tape(Device, recording: false);
            Variable encoded = Model.EncodeClasses(tape, Tokenize(names));
            Fp16Overflow.Refuse(Device);
            return encoded.Value.Share();
        }

        return Device.FromHost((float[])[.. names.Chunk(MostAtOnce).SelectMany(part =>
        {
            cancellation.ThrowIfCancellationRequested();
            using Tensor some = Encode(part, cancellation);
            return some.ToArray();
        })], new Shape(names.Count, Clip.Config.Embedding));
    }

    // The rows of the file, and between them the encoded ones in their order.
    private float[] Rows(IReadOnlyList<string> names, ReadOnlySpan<float> encoded)
    {
        int width = Embeddings!.Width;
        var rows = new float[names.Count * width];
        for (int i = 0; i < names.Count; i++)
        {
            ReadOnlySpan<float> own = Embeddings.Find(names[i]);
            if (own.IsEmpty)
            {
                own = encoded[..width];
                encoded = encoded[width..];
            }

            own.CopyTo(rows.AsSpan(i * width));
        }

        return rows;
    }
}
