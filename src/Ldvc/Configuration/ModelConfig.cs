namespace Ldvc.Configuration;

/// <summary>Section model.</summary>
public sealed record ModelConfig
{
    /// <summary>
    /// Sentence around a class name for the text encoder; {class} stands for the name. Several sentences, or imagenet-80 for OpenAI's 80 for
    /// ImageNet: the mean of their unit vectors counts, renormalised; then there are no text prompts.
    /// </summary>
    [Option("Sentence around a class name for the text encoder; {class} stands for the name. Several sentences, or imagenet-80 for OpenAI's 80 for "
        + "ImageNet: the mean of their unit vectors counts, renormalised; then there are no text prompts.", Single = true)]
    public string[] Template { get; init; } = ["a photo of a {class}"];

    /// <summary>
    /// NumPy file (.npy) with an embedding in each row, in the order of the data set's classes, used as it is instead of the text encoder's; needs
    /// prompts.text = 0. Other names are still encoded with the template.
    /// </summary>
    [Option("NumPy file (.npy) with an embedding in each row, in the order of the data set's classes, used as it is instead of the text encoder's; "
        + "needs prompts.text = 0. Other names are still encoded with the template.", Place = true)]
    public string? ClassEmbeddings { get; init; }

    /// <summary>Adds CLIP's class embedding to the class token a second time, as ZegCLIP's code does.</summary>
    [Option("Adds CLIP's class embedding to the class token a second time, as ZegCLIP's code does.")]
    public bool ClsTwice { get; init; }

    /// <summary>
    /// Where mask logits come from: attention = the last layer's cross-attention scores before softmax; dot = products of final tokens and class
    /// embeddings.
    /// </summary>
    [Option("Where mask logits come from: attention = the last layer's cross-attention scores before softmax; dot = products of final tokens and "
        + "class embeddings.")]
    public MaskHead Head { get; init; } = MaskHead.Attention;

    /// <summary>
    /// The adapter's initial weight: random = PyTorch's default; identity = class embeddings pass unchanged at first, so training starts from CLIP's
    /// own alignment.
    /// </summary>
    [Option("The adapter's initial weight: random = PyTorch's default; identity = class embeddings pass unchanged at first, so training starts from "
        + "CLIP's own alignment.")]
    public AdapterInit AdapterInit { get; init; } = AdapterInit.Random;

    /// <summary>Trained tokens inserted into the frozen encoders (method.md 2, 3).</summary>
    [Option("Trained tokens inserted into the frozen encoders (method.md 2, 3).")]
    public PromptConfig Prompts { get; init; } = new();

    /// <summary>The visual-consensus decoder (method.md 5).</summary>
    [Option("The visual-consensus decoder (method.md 5).")]
    public DecoderConfig Decoder { get; init; } = new();
}

/// <summary>Section model.prompts.</summary>
public sealed record PromptConfig
{
    /// <summary>Prompt tokens M per layer of the vision encoder; 0 = none. Published: 10 (VOC), 100 (COCO).</summary>
    [Option("Prompt tokens M per layer of the vision encoder; 0 = none. Published: 10 (VOC), 100 (COCO).", Min = 0, Max = 4096)]
    public int Vision { get; init; } = 10;

    /// <summary>Prompt tokens K per layer of the text encoder, in place of the template's first words; 0 = frozen class embeddings.</summary>
    [Option("Prompt tokens K per layer of the text encoder, in place of the template's first words; 0 = frozen class embeddings.", Min = 0, Max = 64)]
    public int Text { get; init; } = 4;

    /// <summary>Dropout on the projected vision prompts.</summary>
    [Option("Dropout on the projected vision prompts.", Min = 0, Max = 1, Below = true)]
    public double Dropout { get; init; } = 0.1;

    /// <summary>
    /// What a dropout mask of the prompts is drawn for: batch = one for all pictures of a batch; picture = each picture its own, as in ZegCLIP's
    /// code.
    /// </summary>
    [Option("What a dropout mask of the prompts is drawn for: batch = one for all pictures of a batch; picture = each picture its own, as in "
        + "ZegCLIP's code.")]
    public PromptDropout DropoutPer { get; init; } = PromptDropout.Batch;
}

/// <summary>Section model.decoder.</summary>
public sealed record DecoderConfig
{
    /// <summary>vision-query = patches are the queries, class embeddings keys and values (LDVC); class-query = the reverse (ZegCLIP).</summary>
    [Option("vision-query = patches are the queries, class embeddings keys and values (LDVC); class-query = the reverse (ZegCLIP).")]
    public DecoderKind Kind { get; init; } = DecoderKind.VisionQuery;

    /// <summary>Decoder layers L.</summary>
    [Option("Decoder layers L.", Min = 1, Max = 64)]
    public int Layers { get; init; } = 3;

    /// <summary>Attention heads; must divide the joint embedding's width.</summary>
    [Option("Attention heads; must divide the joint embedding's width.", Min = 1, Max = 256)]
    public int Heads { get; init; } = 8;

    /// <summary>Width of the feed-forward part as a multiple of the joint embedding's width.</summary>
    [Option("Width of the feed-forward part as a multiple of the joint embedding's width.", Min = 1, Max = 64)]
    public int FfnRatio { get; init; } = 4;

    /// <summary>Dropout in the decoder.</summary>
    [Option("Dropout in the decoder.", Min = 0, Max = 1, Below = true)]
    public double Dropout { get; init; } = 0.1;

    /// <summary>
    /// Self-attention over the patches: route = within each window's topk most similar windows, full = over all patches, none. class-query has none.
    /// </summary>
    [Option("Self-attention over the patches: route = within each window's topk most similar windows, full = over all patches, none. class-query has "
        + "none.")]
    public SelfAttention Attention { get; init; } = SelfAttention.Route;

    /// <summary>Route attention: windows along an edge, S; the grid of patches is cut into S x S windows.</summary>
    [Option("Route attention: windows along an edge, S; the grid of patches is cut into S x S windows.", Min = 1, Max = 256)]
    public int Windows { get; init; } = 8;

    /// <summary>Route attention: windows each window attends to, all of them where there are no more.</summary>
    [Option("Route attention: windows each window attends to, all of them where there are no more.", Min = 1, Max = 65536)]
    public int Topk { get; init; } = 16;
}

/// <summary>What a dropout mask of the vision prompts is drawn for (method.md 2).</summary>
public enum PromptDropout
{
    /// <summary>All pictures of a batch have one mask.</summary>
    Batch,

    /// <summary>Each picture has its own.</summary>
    Picture,
}

/// <summary>Where mask logits come from (method.md 6).</summary>
public enum MaskHead
{
    /// <summary>The published attention head.</summary>
    Attention,

    /// <summary>A scaled dot product of patches and class embeddings.</summary>
    Dot,
}

/// <summary>How the text adapter starts (method.md 4 leaves it to PyTorch's default).</summary>
public enum AdapterInit
{
    /// <summary>PyTorch's default for linear layers.</summary>
    Random,

    /// <summary>The class embedding passes through.</summary>
    Identity,
}

/// <summary>Which side is the query of the decoder's cross-attention (method.md 5, 10).</summary>
public enum DecoderKind
{
    /// <summary>Patches are the queries, class embeddings keys and values.</summary>
    VisionQuery,

    /// <summary>Class embeddings are the queries, patches keys and values.</summary>
    ClassQuery,
}

/// <summary>The decoder's self-attention over patches (method.md 5, 10).</summary>
public enum SelfAttention
{
    /// <summary>Route attention.</summary>
    Route,

    /// <summary>Everything attends to everything.</summary>
    Full,

    /// <summary>There is none.</summary>
    None,
}
