namespace Ldvc.Clip;

/// <summary>OpenAI's parameter names and the Hugging Face names of the same weights.</summary>
internal static class ClipNames
{
    private static readonly (string OpenAi, string HuggingFace)[] BlockNames =
    [
        ("ln_1.", "layer_norm1."), ("ln_2.", "layer_norm2."), ("attn.out_proj.", "self_attn.out_proj."), ("mlp.c_fc.", "mlp.fc1."),
            ("mlp.c_proj.", "mlp.fc2."),
    ];

    private static readonly Dictionary<string, string> Plain = new()
    {
        ["visual.class_embedding"] = "vision_model.embeddings.class_embedding",
        ["visual.positional_embedding"] = "vision_model.embeddings.position_embedding.weight",
        ["visual.conv1.weight"] = "vision_model.embeddings.patch_embedding.weight",
        ["visual.ln_pre.weight"] = "vision_model.pre_layrnorm.weight",
        ["visual.ln_pre.bias"] = "vision_model.pre_layrnorm.bias",
        ["visual.ln_post.weight"] = "vision_model.post_layernorm.weight",
        ["visual.ln_post.bias"] = "vision_model.post_layernorm.bias",
        ["visual.proj"] = "visual_projection.weight",
        ["token_embedding.weight"] = "text_model.embeddings.token_embedding.weight",
        ["positional_embedding"] = "text_model.embeddings.position_embedding.weight",
        ["ln_final.weight"] = "text_model.final_layer_norm.weight",
        ["ln_final.bias"] = "text_model.final_layer_norm.bias",
        ["text_projection"] = "text_projection.weight",
        ["logit_scale"] = "logit_scale",
    };

    /// <summary>
    /// The Hugging Face name or, for a packed in_proj, the three names whose tensors lie one after the other in it.
    /// </summary>
    internal static string[] HuggingFace(string name)
    {
        if (Plain.TryGetValue(name, out string? plain))
        {
            return [plain];
        }

        bool vision = name.StartsWith("visual.", StringComparison.Ordinal);
        string rest = name[(name.IndexOf("resblocks.", StringComparison.Ordinal) + "resblocks.".Length)..];
        int dot = rest.IndexOf('.');
        string prefix = $"{(vision ? "vision_model" : "text_model")}.encoder.layers.{rest[..dot]}.";
        string part = rest[(dot + 1)..];
        foreach (var (openAi, huggingFace) in BlockNames)
        {
            if (part.StartsWith(openAi, StringComparison.Ordinal))
            {
                return [prefix + huggingFace + part[openAi.Length..]];
            }
        }

        string kind = part == "attn.in_proj_weight" ? "weight" : "bias";
        return [$"{prefix}self_attn.q_proj.{kind}", $"{prefix}self_attn.k_proj.{kind}", $"{prefix}self_attn.v_proj.{kind}"];
    }
}
