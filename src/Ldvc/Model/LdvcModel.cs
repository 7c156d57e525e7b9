using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Decoder;
using Ldvc.Prompts;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>
/// LDVC around a frozen CLIP: prompted encoders, text adapter, decoder, mask head. Its parameters are the trainable ones, named as in method.md 11;
/// the CLIP is not part of the module and is disposed of by its owner.
/// </summary>
public sealed class LdvcModel : Module, IMaskModel
{
    private readonly ModelConfig _config;
    private readonly VisionPrompts _vision;
    private readonly TextPrompts? _text;
    private readonly Linear _adapter;
    private readonly ConsensusDecoder _decoder;

    /// <summary>Creates the trainable parts.</summary>
    /// <param name="clip">The frozen CLIP.</param>
    /// <param name="config">Section model of the configuration.</param>
    /// <param name="init">Initial values.</param>
    /// <param name="template">The tokenised template (any class), from which text prompts are initialised; null leaves them zero, to be read from a
    /// file.</param>
    internal LdvcModel(ClipModel clip, ModelConfig config, Initializer init, TokenBatch? template)
    {
        Clip = clip;
        _config = config;
        int width = clip.Config.Embedding;
        if (width % config.Decoder.Heads != 0)
        {
            throw new InputException($"model.decoder.heads is {config.Decoder.Heads}, expected a divisor of the CLIP's joint width {width}");
        }

        _vision = Add("visual.prompt", new VisionPrompts(init, clip.Config, config.Prompts));
        if (config.Prompts.Text > 0)
        {
            _text = Add("text", template is null
                ? new TextPrompts(init.Device, clip.Config, config.Prompts.Text)
                : new TextPrompts(init.Device, clip.Text, clip.Config, config.Prompts.Text, template));
        }

        _adapter = Add("adapter", new Linear(init, 2 * width, width));
        if (config.AdapterInit == AdapterInit.Identity)
        {
            PassThrough(_adapter, width);
        }

        _decoder = Add("decoder", new ConsensusDecoder(init, config, width));
    }

    /// <summary>Makes T = t: zeros for the product half of the input, the identity for the other.</summary>
    private static void PassThrough(Linear adapter, int width)
    {
        var weight = new float[2 * width * width];
        for (int i = 0; i < width; i++)
        {
            weight[(i * 2 * width) + width + i] = 1;
        }

        adapter.Weight.Value.CopyFromHost<float>(weight);
        adapter.Bias!.Value.Clear();
    }

    /// <summary>The frozen CLIP.</summary>
    public ClipModel Clip { get; }

    /// <summary>Whether class embeddings change during training (they do when there are text prompts).</summary>
    public bool HasTextPrompts => _text is not null;

    /// <summary>Class embeddings t [C, E] of unit length (method.md 3).</summary>
    internal Variable EncodeClasses(Tape tape, TokenBatch texts)
    {
        using var scope = tape.BeginScope();
        var features = _text is null ? Clip.Text.Encode(tape, texts) : _text.Encode(tape, Clip.Text, texts);
        return scope.Keep(tape.L2Normalize(features));
    }

    /// <summary>Picture [B, 3, H, W] -> g [B, E] and V [B, N, E], both of unit length (method.md 2).</summary>
    internal (Variable Class, Variable Patches) EncodeImage(Tape tape, Tensor image) => _vision.Encode(tape, Clip.Visual, image, _config.ClsTwice);

    /// <summary>From embeddings to mask logits [B, C, h, w] (method.md 4 to 6).</summary>
    public Variable Decode(Tape tape, Variable classEmbedding, Variable patches, Variable texts, int gridHeight, int gridWidth)
    {
        ArgumentNullException.ThrowIfNull(tape);
        ArgumentNullException.ThrowIfNull(classEmbedding);
        ArgumentNullException.ThrowIfNull(patches);
        ArgumentNullException.ThrowIfNull(texts);
        using var scope = tape.BeginScope();
        var adapted = _adapter.Forward(tape, tape.Relationship(texts, classEmbedding));
        return scope.Keep(_decoder.Forward(tape, patches, adapted, gridHeight, gridWidth));
    }

    /// <summary>Mask logits [B, C, h, w] of pictures [B, 3, H, W] for class embeddings t [C, E].</summary>
    public Variable Forward(Tape tape, Tensor image, Variable texts)
    {
        ArgumentNullException.ThrowIfNull(tape);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(texts);
        using var scope = tape.BeginScope();
        var (token, patches) = EncodeImage(tape, image);
        int patch = Clip.Config.PatchSize;
        return scope.Keep(Decode(tape, token, patches, texts, image.Shape[2] / patch, image.Shape[3] / patch));
    }
}
