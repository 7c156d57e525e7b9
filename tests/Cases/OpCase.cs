using Ldvc.Autograd;

namespace Ldvc.Cases;

/// <summary>
/// One operation at one size: seeded inputs, how to run it on a tape of any device, and its forward written plainly in float64. Tests compare values
/// and gradients with the reference on every device, the gradient checker takes them as samples, and bench times the real sizes.
/// </summary>
/// <param name="op">The class of the operation's file, e.g. typeof(LinearOp).</param>
/// <param name="method">The extension method on Tape that runs.</param>
/// <param name="variant">Sizes and options; unique for the method.</param>
internal sealed class OpCase(Type op, string method, string variant)
{
    private readonly Lock _lock = new();
    private ExpectedResult? _expected;

    /// <summary>The class of the operation's file.</summary>
    internal Type Op { get; } = op;

    /// <summary>The method that runs.</summary>
    internal string Method { get; } = method;

    /// <summary>Operation, sizes and options; unique in the list.</summary>
    internal string Name { get; } = $"{method} {variant}";

    /// <summary>The inputs that may have a gradient, in the order Run and Reference get them.</summary>
    internal required CaseInput[] Inputs { get; init; }

    /// <summary>Runs the operation. Labels, indices and the like are the closure's own.</summary>
    internal required Func<Tape, Variable[], Variable> Run { get; init; }

    /// <summary>The same on float64 arrays; null at a real size, where the CPU is the reference of the other devices.</summary>
    internal Func<double[][], double[]>? Reference { get; init; }

    /// <summary>Least work, for timings and for choosing what a simulator can run.</summary>
    internal required CaseWork Work { get; init; }

    /// <summary>A size of ViT-B/16 or of its decoder at 512 pixels: for timings.</summary>
    internal bool Real { get; init; }

    /// <summary>Small enough for ILGPU's simulator.</summary>
    internal bool Tiny => !Real && Work.IsTiny;

    /// <summary>Bound of the output's error, relative to its largest value.</summary>
    internal double ValueTolerance { get; init; } = 2e-5;

    /// <summary>The output's largest value counts as at least this: for cases where all of it is zero in theory.</summary>
    internal double ValueAtLeast { get; init; }

    /// <summary>Bound of a gradient's error, relative to its largest value.</summary>
    internal double GradientTolerance { get; init; } = 2e-4;

    /// <summary>A gradient counts as at least this part of the case's largest gradient: what is zero in theory is rounding in practice.</summary>
    internal double GradientFloor { get; init; } = 1e-3;

    /// <summary>A gradient counts as at least this: for cases where all of them are zero in theory.</summary>
    internal double GradientAtLeast { get; init; }

    /// <summary>Whether the recorded output differs from the one at inference: dropout.</summary>
    internal bool Random { get; init; }

    /// <summary>Whether the sample for the float32 gradient checker may be this one (smooth near the inputs).</summary>
    internal bool Smooth { get; init; } = true;

    /// <summary>Whether the output has a gradient at all: masks have none.</summary>
    internal bool Differentiable { get; init; } = true;

    /// <summary>Seed of the tape: dropout masks.</summary>
    internal ulong Seed { get; } = 77;

    /// <summary>What the reference gives: computed once, kept for all devices.</summary>
    internal ExpectedResult Expected
    {
        get
        {
            lock (_lock)
            {
                return _expected ??= ExpectedResult.Of(this);
            }
        }
    }

    /// <summary>The values of all inputs.</summary>
    internal float[][] Draw() => [.. Inputs.Select(input => input.Draw(Name))];

    /// <summary>The gradient that arrives from above.</summary>
    internal float[] Upstream(int count) => CaseRandom.Normal($"{Name}/upstream", count);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
