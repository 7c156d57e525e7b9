using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// Finds a CLIP's sizes: from the tensors' shapes, and from its configuration where the shapes do not tell. What both say must agree.
/// </summary>
internal sealed class ClipConfigReader
{
    private const int MaxWidth = 1 << 15;
    private const int MaxPatch = 256;

    private readonly TensorArchive _archive;
    private readonly ClipSettings _settings;

    private ClipConfigReader(TensorArchive archive, ClipSettings settings) => (_archive, _settings) = (archive, settings);

    /// <summary>Sizes of a checkpoint with OpenAI's names.</summary>
    /// <exception cref="InputException">A tensor is missing, sizes do not fit together or disagree with the configuration, or nothing tells the
    /// activation.</exception>
    internal static ClipConfig FromOpenAi(TensorArchive archive, ClipSettings settings) => new ClipConfigReader(archive, settings).OpenAi();

    /// <summary>Sizes of a checkpoint with Hugging Face's names.</summary>
    /// <exception cref="InputException">As above.</exception>
    internal static ClipConfig FromHuggingFace(TensorArchive archive, ClipSettings settings) => new ClipConfigReader(archive, settings).HuggingFace();

    private ClipConfig OpenAi()
    {
        if (_archive.Entries.ContainsKey("visual.layer1.0.conv1.weight"))
        {
            throw new InputException(
                $"{_archive.Path}: this is a CLIP with a ResNet image tower; LDVC needs a vision transformer (ViT-B/16, for example)");
        }

        if (_archive.Entries.Keys.Any(name => name.StartsWith("visual.trunk.", StringComparison.Ordinal)))
        {
            throw new InputException($"{_archive.Path}: this is a CLIP with an image tower of the timm package; LDVC needs CLIP's own vision "
                + "transformer (ViT-B/16, for example)");
        }

        var convolution = Convolution("visual.conv1.weight");
        var positions = Shape("visual.positional_embedding", 2);
        var tokens = Shape("token_embedding.weight", 2);
        int embedding = (int)Shape("text_projection", 2)[1];
        var vision = Tower("visual.transformer.resblocks.", (int)convolution[0], _settings.Vision, "mlp.c_fc.weight");
        var text = Tower("transformer.resblocks.", (int)tokens[1], _settings.Text, "mlp.c_fc.weight");
        return Build(vision, text, embedding, positions[0], (int)convolution[3], (int)Shape("positional_embedding", 2)[0], (int)tokens[0]);
    }

    private ClipConfig HuggingFace()
    {
        var convolution = Convolution("vision_model.embeddings.patch_embedding.weight");
        var positions = Shape("vision_model.embeddings.position_embedding.weight", 2);
        var tokens = Shape("text_model.embeddings.token_embedding.weight", 2);
        int embedding = (int)Shape("text_projection.weight", 2)[0];
        var vision = Tower("vision_model.encoder.layers.", (int)convolution[0], _settings.Vision, "mlp.fc1.weight");
        var text = Tower("text_model.encoder.layers.", (int)tokens[1], _settings.Text, "mlp.fc1.weight");
        int context = (int)Shape("text_model.embeddings.position_embedding.weight", 2)[0];
        return Build(vision, text, embedding, positions[0], (int)convolution[3], context, (int)tokens[0]);
    }

    private ClipConfig Build(TowerConfig vision, TowerConfig text, int embedding, long positions, int patch, int context, int vocabulary)
    {
        foreach (var (name, tower) in new[] { ("vision", vision), ("text", text) })
        {
            if (tower.Width > MaxWidth || tower.MlpWidth > 16 * MaxWidth)
            {
                throw new InputException(
                    $"{_archive.Path}: the {name} tower has width {tower.Width} and hidden width {tower.MlpWidth}, expected at most {MaxWidth} and "
                        + $"{16 * MaxWidth}.");
            }
        }

        int image = Grid(positions) * patch;
        if (patch > MaxPatch || image > MaxPatch * MaxPatch || embedding > MaxWidth || (long)vocabulary * text.Width > int.MaxValue)
        {
            throw new InputException(
                $"{_archive.Path}: patch {patch}, pictures of {image}, joint width {embedding} and {vocabulary} token ids are not the sizes of a "
                    + "CLIP.");
        }

        var config = new ClipConfig(vision, text, embedding, image, patch, context, vocabulary);
        _settings.Check(config, _archive.Path);
        foreach (var (name, tower) in new[] { ("vision", vision), ("text", text) })
        {
            if (tower.Heads < 1 || tower.Width % tower.Heads != 0)
            {
                throw new InputException(
                    $"{_settings.Source ?? _archive.Path}: the {name} tower's width {tower.Width} does not divide into {tower.Heads} heads");
            }
        }

        return config;
    }

    private TowerConfig Tower(string prefix, int width, TowerSettings settings, string hiddenName)
    {
        int layers = 0;
        while (_archive.Entries.ContainsKey($"{prefix}{layers}.{hiddenName}"))
        {
            layers++;
        }

        // A layer whose tensor is missing would otherwise end the tower early, without a word.
        string? beyond = _archive.Entries.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .FirstOrDefault(name => LayerOf(name, prefix.Length) >= layers);
        if (layers == 0 || beyond is not null)
        {
            throw new InputException(
                $"{_archive.Path}: tensor '{prefix}{layers}.{hiddenName}' is missing; expected a CLIP vision transformer "
                    + $"checkpoint{(beyond is null ? "" : $", whole: there is '{beyond}'")}");
        }

        Kernels.Activation activation = settings.Activation ?? throw ActivationNames.Unknown(_archive.Path);
        if (settings.Heads is null && width > settings.HeadWidth && width % settings.HeadWidth != 0)
        {
            throw settings.HeadWidth == 64
                ? new InputException($"{_settings.Source ?? _archive.Path}: a tower of width {width} has no heads of 64, as OpenAI's have; expected "
                    + "a configuration beside the weights that says how many.")
                : new InputException($"{_settings.Source}: model_cfg.vision_cfg.head_width is {settings.HeadWidth}, expected a divisor of the vision "
                    + $"tower's width {width}.");
        }

        int hidden = (int)Shape($"{prefix}0.{hiddenName}", 2)[0];
        return new TowerConfig(width, layers, settings.Heads ?? Math.Max(1, width / settings.HeadWidth), hidden)
        {
            Activation = activation,
            NormEpsilon = settings.NormEpsilon,
        };
    }

    private static int LayerOf(string name, int start)
    {
        int dot = name.IndexOf('.', start);
        return dot > 0 && int.TryParse(name.AsSpan(start, dot - start), out int layer) ? layer : -1;
    }

    // Square patches of red, green and blue.
    private long[] Convolution(string name)
    {
        long[] shape = Shape(name, 4);
        return shape[1] == 3 && shape[2] == shape[3]
            ? shape
            : throw new InputException(
                $"{_archive.Path}: tensor '{name}' should have shape [{shape[0]}, 3, {shape[3]}, {shape[3]}], found [{string.Join(", ", shape)}].");
    }

    private long[] Shape(string name, int rank)
    {
        if (!_archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{_archive.Path}: tensor '{name}' is missing; expected a CLIP vision transformer checkpoint{Shard()}");
        }

        if (entry.Shape.Length != rank || entry.Shape.Any(s => s is < 1 or > (1 << 24)))
        {
            throw new InputException(
                $"{_archive.Path}: tensor '{name}' should have {rank} dimensions of 1 to {1 << 24}, found shape [{string.Join(", ", entry.Shape)}]");
        }

        return entry.Shape;
    }

    // model-00001-of-00002.safetensors
    private string Shard() => Path.GetFileName(_archive.Path).Contains("-of-", StringComparison.Ordinal)
        ? " (this looks like one part of several: name the folder, or the .index.json that lists them)"
        : "";

    private int Grid(long positions)
    {
        int grid = (int)Math.Round(Math.Sqrt(positions - 1));
        return grid >= 1 && (long)grid * grid == positions - 1
            ? grid
            : throw new InputException($"{_archive.Path}: {positions} position embeddings are not one class token and a square grid");
    }
}
