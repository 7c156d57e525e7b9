namespace Ldvc.Kernels.Simd;

/// <summary>
/// Coefficients of tanh and of the normal distribution's tail, the same for the CPU's vectors and the GPU's scalars. Fitted for this program at
/// Chebyshev nodes in exact arithmetic; the errors stated where they are used were measured in float32.
/// </summary>
internal static class NormalConstants
{
    /// <summary>Below it tanh x = x + x^3 P(x^2), P having the coefficients Tanh0 .. Tanh4.</summary>
    internal const float TanhBound = 0.625f;

    internal const float Tanh0 = -0.33333327f;
    internal const float Tanh1 = 0.133325837f;
    internal const float Tanh2 = -0.0538237589f;
    internal const float Tanh3 = 0.0208734606f;
    internal const float Tanh4 = -0.00592372621f;

    /// <summary>Where the tail is zero in float32.</summary>
    internal const float End = 13.4f;

    /// <summary>1 / sqrt 8: t = 1 / (1 + Step |x|).</summary>
    internal const float Step = 0.353553391f;

    /// <summary>1 / sqrt(2 pi), the density at zero.</summary>
    internal const float Peak = 0.398942280f;

    internal const float C0 = 0.282084401f;
    internal const float C1 = 0.282412613f;
    internal const float C2 = 0.242824091f;
    internal const float C3 = 0.203802261f;
    internal const float C4 = -0.0292310982f;
    internal const float C5 = 0.281742193f;
    internal const float C6 = -0.490276047f;
    internal const float C7 = 0.285979672f;
    internal const float C8 = -0.0593381259f;
}
