using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Kernels;

namespace Ldvc.Model;

/// <summary>What a CLIP computes with its weights, in words: the parts of it that no tensor's shape shows.</summary>
internal static class ClipForm
{
    /// <summary>For example "vision 12 heads quick-gelu 1E-05, text 8 heads quick-gelu 1E-05".</summary>
    internal static string Of(Clip.ClipConfig clip) => $"vision {Of(clip.Vision)}, text {Of(clip.Text)}";

    /// <summary>The option that says the same of its activation; auto when the towers have different ones.</summary>
    internal static ClipActivation Activation(Clip.ClipConfig clip) => (clip.Vision.Activation, clip.Text.Activation) switch
    {
        (Kernels.Activation.QuickGelu, Kernels.Activation.QuickGelu) => ClipActivation.QuickGelu,
        (Kernels.Activation.Gelu, Kernels.Activation.Gelu) => ClipActivation.Gelu,
        _ => ClipActivation.Auto,
    };

    private static string Of(TowerConfig tower) =>
        FormattableString.Invariant($"{tower.Heads} heads {ActivationNames.Of(tower.Activation)} {tower.NormEpsilon}");
}
