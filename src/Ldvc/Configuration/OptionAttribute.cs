namespace Ldvc.Configuration;

/// <summary>
/// Says what a configuration key means and which values it takes. Key names, types and defaults come from the property itself, so that reading,
/// printing and documenting a configuration all follow from one declaration.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string text) : Attribute
{
    /// <summary>One line for the reference page.</summary>
    public string Text { get; } = text;

    /// <summary>Smallest value of a number (of every number of a list).</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Largest value of a number.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Whether <see cref="Min"/> itself is excluded.</summary>
    public bool Above { get; init; }

    /// <summary>Whether <see cref="Max"/> itself is excluded.</summary>
    public bool Below { get; init; }

    /// <summary>How many values a list of numbers has.</summary>
    public int Length { get; init; }

    /// <summary>Whether a list of one value is written as that value alone.</summary>
    public bool Single { get; init; }

    /// <summary>True when the value has no influence on results, so that a run may be resumed with another one.</summary>
    public bool Runtime { get; init; }

    /// <summary>
    /// True when the value is the path of a file whose content results depend on: a run may be resumed with another path, and the content is
    /// compared.
    /// </summary>
    public bool Place { get; init; }

    /// <summary>Whether a run may be resumed with another value.</summary>
    public bool MayDiffer => Runtime || Place || MayChange;

    /// <summary>True when results depend on the value, and a run may be resumed with another one all the same: it says so.</summary>
    public bool MayChange { get; init; }
}
