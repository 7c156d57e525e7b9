namespace Ldvc.Configuration;

/// <summary>Section model.</summary>
internal sealed record ModelConfig
{
    [Option("Sentence around a class name for the text encoder; {class} stands for the name.")]
    public string Template { get; init; } = "a photo of a {class}";

    [Option("Adds CLIP's class embedding to the class token a second time, as ZegCLIP's code does.")]
    public bool ClsTwice { get; init; }

    [Option("How masks come about: attention = the last layer's class attention before softmax, dot = final tokens times class embeddings.")]
    public MaskHead Head { get; init; } = MaskHead.Attention;

    [Option("The adapter's initial weight: random = PyTorch's default; identity = class embeddings pass unchanged at first, so training starts from CLIP's own alignment.")]
    public AdapterInit AdapterInit { get; init; } = AdapterInit.Random;

    [Option("Trained tokens inserted into the frozen encoders (method.md 2, 3).")]
    public PromptConfig Prompts { get; init; } = new();

    [Option("The visual-consensus decoder (method.md 5).")]
    public DecoderConfig Decoder { get; init; } = new();
}

/// <summary>Section model.prompts.</summary>
internal sealed record PromptConfig
{
    [Option("Prompt tokens M per layer of the vision encoder; 0 = none. Published: 10 (VOC), 100 (COCO).", Min = 0, Max = 4096)]
    public int Vision { get; init; } = 10;

    [Option("Prompt tokens K per layer of the text encoder, in place of the template's first words; 0 = frozen class embeddings.", Min = 0, Max = 64)]
    public int Text { get; init; } = 4;

    [Option("Dropout on the projected vision prompts.", Min = 0, Max = 1, Below = true)]
    public double Dropout { get; init; } = 0.1;
}

/// <summary>Section model.decoder.</summary>
internal sealed record DecoderConfig
{
    [Option("vision-query = patches ask, class embeddings answer (LDVC); class-query = the other way round (ZegCLIP).")]
    public DecoderKind Kind { get; init; } = DecoderKind.VisionQuery;

    [Option("Decoder layers L.", Min = 1, Max = 64)]
    public int Layers { get; init; } = 3;

    [Option("Attention heads; must divide the joint embedding's width.", Min = 1, Max = 256)]
    public int Heads { get; init; } = 8;

    [Option("Width of the feed-forward part as a multiple of the joint embedding's width.", Min = 1, Max = 64)]
    public int FfnRatio { get; init; } = 4;

    [Option("Dropout in the decoder.", Min = 0, Max = 1, Below = true)]
    public double Dropout { get; init; } = 0.1;

    [Option("Self-attention over the patches: route = within each window's topk most similar windows, full = over all patches, none. class-query has none.")]
    public SelfAttention Attention { get; init; } = SelfAttention.Route;

    [Option("Route attention: the grid is cut into S x S windows (S itself).", Min = 1, Max = 256)]
    public int Windows { get; init; } = 8;

    [Option("Route attention: windows each window attends to, all of them where there are no more.", Min = 1, Max = 65536)]
    public int Topk { get; init; } = 16;
}

/// <summary>Where mask logits come from (method.md 6).</summary>
internal enum MaskHead
{
    Attention,
    Dot,
}

/// <summary>How the text adapter starts (method.md 4 leaves it to PyTorch's default).</summary>
internal enum AdapterInit
{
    Random,
    Identity,
}

/// <summary>Which side asks in the decoder's cross-attention (method.md 5, 10).</summary>
internal enum DecoderKind
{
    VisionQuery,
    ClassQuery,
}

/// <summary>The decoder's self-attention over patches (method.md 5, 10).</summary>
internal enum SelfAttention
{
    Route,
    Full,
    None,
}
