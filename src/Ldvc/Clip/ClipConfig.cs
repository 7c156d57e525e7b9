using Ldvc.Kernels;

namespace Ldvc.Clip;

/// <summary>Sizes of one transformer tower.</summary>
/// <param name="Width">Token width.</param>
/// <param name="Layers">Residual blocks.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="MlpWidth">Hidden width of the MLP.</param>
public sealed record TowerConfig(int Width, int Layers, int Heads, int MlpWidth)
{
    /// <summary>What lies between the MLP's two layers: QuickGELU (OpenAI's models) or GELU (LAION's, DataComp's, most of open_clip's).</summary>
    public Activation Activation { get; init; } = Activation.QuickGelu;

    /// <summary>Epsilon of the tower's layer normalisations.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;
}

/// <summary>Sizes of a CLIP model, all taken from the checkpoint (method.md 1).</summary>
/// <param name="Vision">Vision tower.</param>
/// <param name="Text">Text tower.</param>
/// <param name="Embedding">Joint width E.</param>
/// <param name="ImageSize">Side of the pictures it was trained on.</param>
/// <param name="PatchSize">Side of a patch.</param>
/// <param name="ContextLength">Tokens of a text.</param>
/// <param name="VocabularySize">Token ids.</param>
public sealed record ClipConfig(
    TowerConfig Vision, TowerConfig Text, int Embedding, int ImageSize, int PatchSize, int ContextLength, int VocabularySize)
{
    /// <summary>Patches along an edge of a training picture.</summary>
    public int Grid => ImageSize / PatchSize;
}
