namespace Ldvc.Kernels;

/// <summary>
/// The scale of gradients that are stored in fp16. Its normal numbers end at 2^-14, those of a gradient of a mean over a quarter of a million pixels
/// lie below: times a power of two, which changes no mantissa, the largest of them comes to 8 .. 16. What a block's products and sums add to that has
/// a factor of 4096 before 65504 is reached, and what is 2^17 times smaller than the largest still has all its bits.
/// </summary>
internal static class GradientScaling
{
    // Exponent fields: 127 is 2^0.
    private const int Bias = 127;
    private const int Target = 3;
    private const int NotFinite = 255;

    /// <summary>
    /// The exponent field of the scale for a largest absolute value, given by its bits: 127, a scale of 1, where that is zero or not finite. The
    /// inverse (<see cref="Inverse"/>) is a normal number too.
    /// </summary>
    internal static int Exponent(int largestBits)
    {
        int field = (largestBits >> 23) & NotFinite;
        int exponent = (2 * Bias) + Target - field;
        exponent = exponent > (2 * Bias) - 1 ? (2 * Bias) - 1 : exponent;
        return largestBits == 0 || field == NotFinite ? Bias : exponent;
    }

    /// <summary>The exponent field of a scale's inverse.</summary>
    internal static int Inverse(int exponent) => (2 * Bias) - exponent;
}
