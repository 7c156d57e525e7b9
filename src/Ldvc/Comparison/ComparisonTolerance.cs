using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>What `ldvc compare` lets tensors differ, relative to their largest value.</summary>
/// <param name="Values">Bound of activations, mask logits and loss.</param>
/// <param name="Gradients">Bound of most gradients.</param>
/// <param name="Sensitive">Bound of gradients that magnify rounding.</param>
internal readonly record struct ComparisonTolerance(double Values, double Gradients, double Sensitive)
{
    private static readonly string[] SensitiveParts = [".ffn.fc1.", ".q.", ".k."];

    /// <summary>
    /// The bounds of a precision. float32 against float32 differs by the order of sums. In bf16, and in tf32 and fp16, inputs of products are off by
    /// up to 2^-9 and 2^-12 of themselves, and depth adds up: docs/compare.md says what was found.
    /// </summary>
    /// <param name="precision">Precision of the products.</param>
    /// <param name="values">The bound of <see cref="Values"/>, when it is not the usual one; those of gradients follow it.</param>
    internal static ComparisonTolerance For(Precision precision, double? values = null)
    {
        var (usual, gradients, sensitive) = precision switch
        {
            Precision.Bf16 or Precision.Fp16 => (5e-3, 4, 10),
            Precision.Tf32 => (3e-3, 4, 10),
            _ => (2e-5, 10, 10),
        };
        double bound = values ?? usual;
        return new ComparisonTolerance(bound, gradients * bound, sensitive * bound);
    }

    /// <summary>
    /// The bound of a parameter's gradient. A row of the weights before a ReLU jumps where rounding moves an input across zero; queries and keys get
    /// differences of nearly equal numbers, p (dP - delta).
    /// </summary>
    internal double OfGradient(string parameter) =>
        SensitiveParts.Any(part => parameter.Contains(part, StringComparison.Ordinal)) ? Sensitive : Gradients;
}
