using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Per-channel mean and standard deviation (R, G, B, in units of 0..1) that pictures are normalised with.</summary>
internal sealed record ImageStatistics(string Name, float[] Mean, float[] Std)
{
    /// <summary>What CLIP was trained with (method.md section 8, the default).</summary>
    public static ImageStatistics Clip { get; } =
        new("clip", [0.48145466f, 0.4578275f, 0.40821073f], [0.26862954f, 0.26130258f, 0.27577711f]);

    /// <summary>The ImageNet statistics that ZegCLIP's training uses, given there in units of 0..255.</summary>
    public static ImageStatistics ImageNet { get; } =
        new("imagenet", [123.675f / 255f, 116.28f / 255f, 103.53f / 255f], [58.395f / 255f, 57.12f / 255f, 57.375f / 255f]);

    /// <summary>"clip" or "imagenet".</summary>
    /// <exception cref="InputException">Another name.</exception>
    public static ImageStatistics Named(string name) => name switch
    {
        "clip" => Clip,
        "imagenet" => ImageNet,
        _ => throw new InputException($"image statistics '{name}': expected 'clip' or 'imagenet'"),
    };
}
