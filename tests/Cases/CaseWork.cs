namespace Ldvc.Cases;

/// <summary>
/// What a case must do at least: floating-point operations (a multiply-add is two) and 4-byte values moved between memory and chip when every input
/// is read once and every result written once. Bench divides them by the time.
/// </summary>
/// <param name="Flops">Operations of the forward, or of a kernel.</param>
/// <param name="Floats">Values moved by the forward, or by a kernel.</param>
/// <param name="BackwardFlops">Operations of the backward.</param>
/// <param name="BackwardFloats">Values moved by the backward.</param>
internal readonly record struct CaseWork(double Flops, double Floats, double BackwardFlops = 0, double BackwardFloats = 0)
{
    /// <summary>The largest work of a case that ILGPU's simulator finishes quickly.</summary>
    internal const double TinyLimit = 4096;

    /// <summary>Whether neither direction does or moves more than <see cref="TinyLimit"/> multiply-adds or values.</summary>
    internal bool IsTiny => Math.Max(Math.Max(Flops, BackwardFlops) / 2, Math.Max(Floats, BackwardFloats)) <= TinyLimit;

    /// <summary>Work of an operation that only reads and writes: as many operations as values of the output.</summary>
    internal static CaseWork Move(double read, double written) => new(written, read + written, written, read + written);
}
