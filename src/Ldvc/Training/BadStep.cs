using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>Why the numbers of some pictures are of no use. Their update does not happen.</summary>
/// <param name="Message">What is wrong and what helps.</param>
/// <param name="Diverged">Whether the weights are no good either; else they are those of the step before, from which another precision goes
/// on.</param>
internal readonly record struct BadStep(string Message, bool Diverged)
{
    private const string Remedy = "; try a lower train.lr";
    private const string Resume = "resume with train.precision=bf16";

    /// <summary>What is wrong; null for nothing.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="gradient">Whose gradient has NaN or infinity; null for nobody's.</param>
    /// <param name="tooLarge">Whether a number was too large for fp16.</param>
    /// <param name="precision">What was multiplied with.</param>
    /// <param name="firstBad">Finds the first tensor with NaN or infinity.</param>
    /// <param name="pictures">Ids of the pictures.</param>
    internal static BadStep? Of(float loss, string? gradient, bool tooLarge, Precision precision, Func<string> firstBad, string[] pictures)
    {
        if (tooLarge)
        {
            return new BadStep(Pictured($"{Fp16Overflow.Message}: {Resume}", pictures), Diverged: false);
        }

        if (!float.IsFinite(loss))
        {
            return new BadStep(Pictured($"the loss is {loss}; first bad tensor: {firstBad()}", pictures) + Remedy, Diverged: true);
        }

        if (gradient is null)
        {
            return null;
        }

        // What attention's backward rounds on its way is not watched: a number beyond 65504 shows here.
        string bad = Pictured($"first bad tensor: the gradient of {gradient}", pictures) + Remedy;
        return precision == Precision.Fp16
            ? new BadStep($"{bad}, or {Resume}: numbers of fp16 end at 65504", Diverged: false)
            : new BadStep(bad, Diverged: true);
    }

    /// <summary>What is said of two parts of a step: the first message, and the worse news.</summary>
    internal static BadStep? Both(BadStep? first, BadStep? second) =>
        first is { } one && second is { } two ? one with { Diverged = one.Diverged || two.Diverged } : first ?? second;

    private static string Pictured(string what, string[] pictures) =>
        $"{what} (pictures {string.Join(", ", pictures.Take(4))}{(pictures.Length > 4 ? ", ..." : "")})";
}
