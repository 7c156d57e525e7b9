using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>A float input of a case: seeded normal values, different for every case and name, never zeros or constants.</summary>
internal sealed record CaseInput(string Name, params int[] Sizes)
{
    /// <summary>Mean of the values.</summary>
    internal double Mean { get; init; }

    /// <summary>Standard deviation of the values.</summary>
    internal double Deviation { get; init; } = 1;

    /// <summary>Rounds the values to whole numbers, some of which are then equal.</summary>
    internal bool Whole { get; init; }

    /// <summary>Number of values.</summary>
    internal int Count => (int)Shape.Count;

    /// <summary>The sizes as a shape.</summary>
    internal Shape Shape => new(Sizes);

    /// <summary>The values in the given case.</summary>
    internal float[] Draw(string caseName)
    {
        float[] values = CaseRandom.Normal($"{caseName}/{Name}", Count, Mean, Deviation);
        return Whole ? Array.ConvertAll(values, MathF.Round) : values;
    }
}
