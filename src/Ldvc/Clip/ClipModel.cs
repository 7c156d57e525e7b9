using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// CLIP: both towers and the logit scale. Parameter names are OpenAI's; the two projections are kept as [E, width], the transpose of OpenAI's layout.
/// </summary>
internal sealed class ClipModel : Module
{
    internal ClipModel(IWeightSource weights, ClipConfig config)
    {
        Config = config;
        Visual = Add("visual", new VisionTower(weights, config));
        Text = Add(string.Empty, new TextTower(weights, config));
        LogitScale = Add("logit_scale", weights.Get("logit_scale", new Shape(1), 0, MathF.Log(1 / 0.07f)));
    }

    /// <summary>Sizes.</summary>
    internal ClipConfig Config { get; }

    /// <summary>Pictures.</summary>
    internal VisionTower Visual { get; }

    /// <summary>Texts.</summary>
    internal TextTower Text { get; }

    /// <summary>Logarithm of the factor of the cosine similarities.</summary>
    internal Parameter LogitScale { get; }
}
