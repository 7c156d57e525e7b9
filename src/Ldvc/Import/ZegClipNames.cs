using System.Globalization;

namespace Ldvc.Import;

/// <summary>The names of ZegCLIP's tensors: which of ours each trained one is, which belong to the frozen CLIP, and which nothing reads.</summary>
internal static class ZegClipNames
{
    internal const string Backbone = "backbone.";
    internal const string TextEncoder = "text_encoder.";
    internal const string ShallowPrompts = "backbone.prompt_embeddings";
    internal const string DeepPrompts = "backbone.deep_prompt_embeddings";
    internal const string Positions = "backbone.positional_embedding";
    internal const string Adapter = "decode_head.q_proj.weight";
    internal const string Layers = "decode_head.decoder_1.layers.";

    /// <summary>A buffer of the loss with one entry for each class in training and one more.</summary>
    internal const string LossWeights = "decode_head.loss_decode.criterion.empty_weight";

    // Ours up to the first dot that follows, and theirs.
    private static readonly (string Ours, string Theirs)[] Parts =
    [
        ("visual.prompt.proj.", "backbone.prompt_proj."), ("visual.prompt.norm.", "backbone.prompt_norm."), ("adapter.", "decode_head.q_proj."),
    ];

    private static readonly (string Ours, string Theirs)[] LayerParts =
    [
        ("cross.q.", "multihead_attn.q."), ("cross.k.", "multihead_attn.k."), ("cross.v.", "multihead_attn.v."), ("cross.o.", "multihead_attn.proj."),
        ("ffn.fc1.", "linear1."), ("ffn.fc2.", "linear2."), ("norm1.", "norm1."), ("norm2.", "norm2."), ("norm3.", "norm3."),
    ];

    /// <summary>Their name of a trained tensor of ours (method.md 11).</summary>
    internal static string Trained(string ours)
    {
        const string own = "decoder.layers.";
        if (ours is "visual.prompt.shallow" or "visual.prompt.deep")
        {
            return ours.EndsWith("deep", StringComparison.Ordinal) ? DeepPrompts : ShallowPrompts;
        }

        if (!ours.StartsWith(own, StringComparison.Ordinal))
        {
            return Replace(Parts, ours, "");
        }

        int dot = ours.IndexOf('.', own.Length);
        return Replace(LayerParts, ours[(dot + 1)..], $"{Layers}{ours[own.Length..dot]}.");
    }

    /// <summary>
    /// Their name of a tensor of the frozen CLIP by OpenAI's; null for the one that they do not have, the cosine similarities' factor.
    /// </summary>
    internal static string? Frozen(string openAi) => openAi == "logit_scale" ? null
        : openAi.StartsWith("visual.", StringComparison.Ordinal) ? Backbone + openAi["visual.".Length..]
        : TextEncoder + openAi;

    /// <summary>
    /// Whether a tensor is in the file and never used: the decoder's self-attention, which their forward leaves out, and the loss's buffer.
    /// </summary>
    internal static bool IsUnused(string theirs)
    {
        if (theirs == LossWeights)
        {
            return true;
        }

        int dot = theirs.StartsWith(Layers, StringComparison.Ordinal) ? theirs.IndexOf('.', Layers.Length) : -1;
        return dot > 0 && int.TryParse(theirs[Layers.Length..dot], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && theirs[(dot + 1)..].StartsWith("self_attn.", StringComparison.Ordinal);
    }

    private static string Replace((string Ours, string Theirs)[] parts, string name, string prefix)
    {
        foreach (var (ours, theirs) in parts)
        {
            if (name.StartsWith(ours, StringComparison.Ordinal))
            {
                return prefix + theirs + name[ours.Length..];
            }
        }

        throw new InvalidOperationException($"ZegCLIP has no tensor for {name}");
    }
}
