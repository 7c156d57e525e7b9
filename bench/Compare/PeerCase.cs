namespace Ldvc.Bench.Compare;

/// <summary>What a goal limits: a ratio of ours to a rival's.</summary>
internal enum Measure
{
    /// <summary>Median seconds.</summary>
    Time,

    /// <summary>Peak resident memory of the whole process.</summary>
    Peak,

    /// <summary>Peak resident memory above what was resident before the first run: weights, inputs and the runtime are left out.</summary>
    Added,
}

/// <summary>ours / rival must not exceed the limit. Rival "best" means the fastest peer that ran.</summary>
internal sealed record Goal(Measure Measure, string Rival, double Limit);

/// <summary>One row of the comparison.</summary>
/// <param name="Name">Short name, what --filter matches.</param>
/// <param name="Kind">Which work the engines build.</param>
/// <param name="Sizes">The work's sizes, handed to every engine.</param>
/// <param name="Flops">Floating-point operations of one run's matrix products; 0 where a rate would say nothing.</param>
/// <param name="Engines">Engines that take part, ours first.</param>
/// <param name="Tolerance">Largest difference of the outputs, relative to each tensor's largest value (gradients get ten times as much).</param>
/// <param name="Goals">What was aimed at.</param>
internal sealed record PeerCase(
    string Name, string Kind, IReadOnlyDictionary<string, int> Sizes, double Flops, IReadOnlyList<string> Engines, double Tolerance,
        params IReadOnlyList<Goal> Goals)
{
    /// <summary>The kind of a training step.</summary>
    internal const string Step = "step";

    /// <summary>Pictures of a run.</summary>
    internal int Batch => Sizes.GetValueOrDefault("batch", 1);

    /// <summary>Whether a run has as many pictures as a card is fed with: two cores would take half a minute.</summary>
    internal bool CardOnly => Batch > 1;

    /// <summary>Whether the work takes pictures, and so any number of them.</summary>
    internal bool TakesBatches => Kind is "encoder" or "prompts" or Step;

    /// <summary>The same with other pictures a run.</summary>
    internal PeerCase With(int batch) =>
        this with { Sizes = Sizes.Where(s => s.Key != "batch").Append(new("batch", batch)).ToDictionary(), Flops = Flops / Batch * batch };

    internal int this[string size] =>
        Sizes.TryGetValue(size, out int value) ? value : throw new KeyNotFoundException($"case {Name}: no size '{size}'");
}
