namespace Ldvc.Kernels;

/// <summary>Activations that kernels can fuse.</summary>
public enum Activation
{
    /// <summary>The identity.</summary>
    None,

    /// <summary>x * sigmoid(1.702 x), CLIP's.</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>x Phi(x), Phi being the normal distribution: GELU in its exact form, with erf.</summary>
    Gelu,
}
