using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip.Tokenization;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// CLIP: both towers and the logit scale. Parameter names are OpenAI's; the two projections are kept as [E, width], the transpose of OpenAI's layout.
/// </summary>
public sealed class ClipModel : Module
{
    private readonly VisionTower _visual;
    private readonly TextTower _text;
    private ClipTowers _towers = ClipTowers.Both;

    internal ClipModel(IWeightSource weights, ClipConfig config)
    {
        Config = config;
        _visual = Add("visual", new VisionTower(weights, config));
        _text = Add(string.Empty, new TextTower(weights, config));
        LogitScale = Add("logit_scale", weights.Get("logit_scale", new Shape(1), 0, MathF.Log(1 / 0.07f)));
    }

    /// <summary>Loads a CLIP; its weights are frozen.</summary>
    /// <param name="path">A Hugging Face folder, or a .safetensors, .bin, .pt or .pth file (method.md 12).</param>
    /// <param name="device">Where it is to live.</param>
    /// <exception cref="InputException">There is no CLIP at the path, or it is damaged.</exception>
    public static ClipModel Load(string path, Device device)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(device);
        return ClipCheckpoint.Find(path).Load(device);
    }

    /// <summary>Loads a CLIP that lies without a configuration, so that only the caller knows its activation.</summary>
    /// <param name="path">A folder or a file, as above.</param>
    /// <param name="device">Where it is to live.</param>
    /// <param name="activation">QuickGelu (OpenAI's) or Gelu.</param>
    /// <exception cref="InputException">There is no CLIP at the path, it is damaged, or its files say another activation.</exception>
    public static ClipModel Load(string path, Device device, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(device);
        return ClipCheckpoint.Find(path).Load(device, ActivationNames.Checked(activation));
    }

    /// <summary>Features of pictures [n, 3, H, W] -> [n, E], projected and not normalised; H and W are multiples of the patch.</summary>
    /// <param name="tape">Where the computation is recorded.</param>
    /// <param name="pictures">Normalised pictures.</param>
    /// <exception cref="ArgumentException">They are not float32, of another shape, none, or on another device.</exception>
    public Variable EncodeImages(Tape tape, Tensor pictures)
    {
        ArgumentNullException.ThrowIfNull(tape);
        ArgumentNullException.ThrowIfNull(pictures);
        return Visual.Encode(tape, pictures);
    }

    /// <summary>Features of texts -> [n, E], projected and not normalised.</summary>
    /// <param name="tape">Where the computation is recorded.</param>
    /// <param name="ids">Token ids of each text, all as long as the context, as <see cref="Tokenization.ClipTokenizer.Encode"/> gives them.</param>
    /// <exception cref="ArgumentException">There is no text, or one is longer than the context or not as long as the others.</exception>
    public Variable EncodeTexts(Tape tape, IReadOnlyList<int[]> ids)
    {
        ArgumentNullException.ThrowIfNull(tape);
        ArgumentNullException.ThrowIfNull(ids);
        for (int i = 0; i < ids.Count; i++)
        {
            int length = ids[i]?.Length ?? throw new ArgumentNullException(nameof(ids), $"text tower: the ids of text {i} are null");
            if (length == 0 || length > Config.ContextLength || length != ids[0].Length)
            {
                throw new ArgumentException(
                    $"text tower: text {i} has {length} token ids, expected as many in every text, 1 to {Config.ContextLength}", nameof(ids));
            }
        }

        return ids.Count > 0
            ? Text.Encode(tape, TokenBatch.Create([.. ids.SelectMany(text => text)], ids.Count))
            : throw new ArgumentException("text tower: expected at least 1 text, got none", nameof(ids));
    }

    /// <summary>What its weights are recognised by, in whatever file they lie; null when it was loaded without asking for that.</summary>
    internal string? Digest { get; set; }

    /// <summary>
    /// The id at whose place a text's feature is taken, where its configuration states one; null = the largest id of the text, as in OpenAI's code.
    /// In a CLIP's vocabulary both are the end of text (<see cref="CheckVocabulary"/>).
    /// </summary>
    internal int? EndOfText { get; init; }

    /// <summary>Refuses a tokenizer that is another CLIP's.</summary>
    /// <param name="tokenizer">The tokenizer; null = there is none.</param>
    /// <param name="path">Where this CLIP lies, for the message.</param>
    /// <returns>What is to be known of its vocabulary; null = nothing.</returns>
    /// <exception cref="InputException">The two do not belong together.</exception>
    internal string? CheckVocabulary(ClipTokenizer? tokenizer, string path) =>
        tokenizer?.CheckVocabulary(Config.VocabularySize, path, EndOfText);

    /// <summary>Sizes.</summary>
    public ClipConfig Config { get; }

    /// <summary>Pictures.</summary>
    /// <exception cref="InvalidOperationException">It was not loaded.</exception>
    internal VisionTower Visual =>
        _towers.HasFlag(ClipTowers.Vision) ? _visual : throw new InvalidOperationException("this CLIP was loaded without its vision tower");

    /// <summary>Texts.</summary>
    /// <exception cref="InvalidOperationException">It was not loaded.</exception>
    internal TextTower Text =>
        _towers.HasFlag(ClipTowers.Text) ? _text : throw new InvalidOperationException("this CLIP was loaded without its text tower");

    /// <summary>Logarithm of the factor of the cosine similarities.</summary>
    public Parameter LogitScale { get; }

    /// <summary>Gives up what was not loaded: names and shapes of a tower have been checked, its values never read.</summary>
    internal void Keep(ClipTowers towers)
    {
        _towers = towers;
        if (!towers.HasFlag(ClipTowers.Vision))
        {
            _visual.Dispose();
        }

        if (!towers.HasFlag(ClipTowers.Text))
        {
            _text.Dispose();
        }
    }
}
