namespace Ldvc.Autograd;

/// <summary>What a gradient check found: its worst element.</summary>
/// <param name="Input">Name of the input with the largest error.</param>
/// <param name="Index">The element's position in it, row-major.</param>
/// <param name="Analytic">The gradient that the backward gives.</param>
/// <param name="Numeric">The gradient by central differences.</param>
/// <param name="RelativeError">Their difference over the largest gradient of that input.</param>
/// <param name="Tolerance">The largest relative error that passes.</param>
/// <param name="Elements">How many elements were looked at.</param>
public sealed record GradientReport(string Input, long Index, double Analytic, double Numeric, double RelativeError, double Tolerance, long Elements)
{
    /// <summary>Whether the worst error is within the tolerance; NaN never is.</summary>
    public bool Passed => RelativeError <= Tolerance;

    /// <summary>How many elements the inputs have together: more than <see cref="Elements"/> where some were chosen
    /// (<see cref="GradientChecker.MaxElements"/>); 0 when not said.</summary>
    public long Total { get; init; }

    /// <summary>One sentence: the worst element, both gradients, the error and its bound.</summary>
    public override string ToString() =>
        $"gradient check of {Elements} {(Total > Elements ? $"of {Total} " : "")}elements "
        + $"{(Passed ? "passed" : "failed")}: worst at {Input}[{Index}], backward {Analytic:g6}, differences {Numeric:g6}, "
        + $"relative error {RelativeError:e1}, allowed {Tolerance:e1}";
}
