using System.Globalization;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>A size that a configuration states, and where a CLIP's weights show it.</summary>
/// <param name="Key">Its name in the configuration.</param>
/// <param name="Value">What the configuration says.</param>
/// <param name="Actual">What the weights say.</param>
internal sealed record StatedSize(string Key, double Value, Func<ClipConfig, double> Actual);

/// <summary>What a configuration says of one tower that no tensor's shape does.</summary>
internal sealed record TowerSettings
{
    /// <summary>Number of heads, when it is stated as such.</summary>
    public int? Heads { get; init; }

    /// <summary>Width of a head, when the number of heads follows from it.</summary>
    public int HeadWidth { get; init; } = 64;

    /// <summary>Null when nothing tells.</summary>
    public Activation? Activation { get; init; }

    /// <summary>Epsilon of layer normalisations.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;
}

/// <summary>What is known of a CLIP besides its tensors: its configuration file, or without one what names tell.</summary>
/// <param name="Source">The file; null when there is none.</param>
/// <param name="Vision">The vision tower.</param>
/// <param name="Text">The text tower.</param>
/// <param name="Sizes">What is to be compared with the tensors.</param>
internal sealed record ClipSettings(string? Source, TowerSettings Vision, TowerSettings Text, IReadOnlyList<StatedSize> Sizes)
{
    /// <summary>The id of the end of text that is stated; null = none is.</summary>
    public int? EndOfText { get; init; }

    /// <summary>No configuration; what the two towers' activation is, if that is known.</summary>
    internal static ClipSettings Without(Activation? activation) =>
        new(null, new TowerSettings { Activation = activation }, new TowerSettings { Activation = activation }, []);

    /// <summary>Adds what the user says; it must not contradict the file.</summary>
    /// <exception cref="InputException">It does.</exception>
    internal ClipSettings Told(Activation? activation, string weights)
    {
        if (activation is not { } told)
        {
            return this;
        }

        foreach (TowerSettings tower in new[] { Vision, Text })
        {
            if (tower.Activation is { } known && known != told)
            {
                throw new InputException(
                    $"{weights}: the activation is said to be {ActivationNames.Of(told)}, but {Source ?? "the file itself"} says "
                        + $"{ActivationNames.Of(known)}; leave the option out (auto).");
            }
        }

        return this with { Vision = Vision with { Activation = told }, Text = Text with { Activation = told } };
    }

    /// <summary>Fills in what nothing else tells.</summary>
    internal ClipSettings Otherwise(Activation? activation) => this with
    {
        Vision = Vision with { Activation = Vision.Activation ?? activation },
        Text = Text with { Activation = Text.Activation ?? activation },
    };

    /// <summary>Compares every stated size with the weights.</summary>
    /// <exception cref="InputException">One differs.</exception>
    internal void Check(ClipConfig actual, string weights)
    {
        foreach (StatedSize size in Sizes)
        {
            double found = size.Actual(actual);
            if (found != size.Value)
            {
                throw new InputException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Source}: {size.Key} is {size.Value}, but the weights in {weights} have {found}; expected the configuration of these weights, "
                        + $"whole."));
            }
        }
    }
}
