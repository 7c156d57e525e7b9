using Ldvc.Configuration;

namespace Ldvc.Lab.Ablation;

/// <summary>One thing that is compared: a configuration, what to call it, and how often it is trained.</summary>
/// <param name="Key">Name of its folder: "zegclip", "topk-4".</param>
/// <param name="Title">Name in tables: "ZegCLIP", "+ route attention".</param>
/// <param name="Sweep">The swept option, "topk"; null for a row of the comparison.</param>
/// <param name="Value">The option's value in a sweep, as it is written in YAML.</param>
/// <param name="Config">The configuration of its runs, seed and folder left open.</param>
/// <param name="Seeds">How many seeds it is trained with.</param>
internal sealed record AblationVariant(string Key, string Title, string? Sweep, string Value, LdvcConfig Config, int Seeds)
{
    /// <summary>The rows of method.md 10 as changes of a configuration of the whole method.</summary>
    internal static LdvcConfig Configure(LdvcConfig config, AblationRow row)
    {
        (DecoderKind kind, SelfAttention attention) = row switch
        {
            AblationRow.Zegclip => (DecoderKind.ClassQuery, SelfAttention.None),
            AblationRow.LanguageDriven => (DecoderKind.VisionQuery, SelfAttention.None),
            AblationRow.SelfAttention => (DecoderKind.VisionQuery, SelfAttention.Full),
            _ => (DecoderKind.VisionQuery, SelfAttention.Route),
        };
        ModelConfig model = config.Model;
        return config with
        {
            Model = model with
            {
                Decoder = model.Decoder with { Kind = kind, Attention = attention },
                Prompts = model.Prompts with { Text = row == AblationRow.Ldvc ? model.Prompts.Text : 0 },
            },
        };
    }

    /// <summary>What a row is called in tables.</summary>
    internal static string TitleOf(AblationRow row) => row switch
    {
        AblationRow.Zegclip => "ZegCLIP",
        AblationRow.LanguageDriven => "+ language-driven",
        AblationRow.SelfAttention => "+ self-attention",
        AblationRow.Route => "+ route attention",
        AblationRow.TrainingFree => "CLIP, no training",
        _ => "LDVC (+ text prompts)",
    };
}
