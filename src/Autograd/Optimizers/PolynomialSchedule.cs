namespace Ldvc.Autograd.Optimizers;

/// <summary>Linear warm-up, then polynomial decay (method.md 8, mmsegmentation's "poly" policy).</summary>
/// <param name="BaseRate">Learning rate after the warm-up.</param>
/// <param name="MinRate">Learning rate at the end.</param>
/// <param name="Iterations">All iterations.</param>
/// <param name="Power">Exponent of the decay.</param>
/// <param name="WarmupIterations">Iterations of the warm-up.</param>
/// <param name="WarmupRatio">Fraction of the scheduled rate at iteration 0.</param>
/// <exception cref="ArgumentOutOfRangeException">A number is negative, NaN or infinite, or the fraction above 1.</exception>
public sealed record PolynomialSchedule(double BaseRate, double MinRate, long Iterations, double Power, long WarmupIterations, double WarmupRatio)
{
    /// <summary>Learning rate after the warm-up.</summary>
    public double BaseRate { get; init => field = Real(value, nameof(BaseRate)); } = Real(BaseRate, nameof(BaseRate));

    /// <summary>Learning rate at the end.</summary>
    public double MinRate { get; init => field = Real(value, nameof(MinRate)); } = Real(MinRate, nameof(MinRate));

    /// <summary>All iterations.</summary>
    public long Iterations { get; init => field = Whole(value, nameof(Iterations)); } = Whole(Iterations, nameof(Iterations));

    /// <summary>Exponent of the decay.</summary>
    public double Power { get; init => field = Real(value, nameof(Power)); } = Real(Power, nameof(Power));

    /// <summary>Iterations of the warm-up.</summary>
    public long WarmupIterations { get; init => field = Whole(value, nameof(WarmupIterations)); } = Whole(WarmupIterations, nameof(WarmupIterations));

    /// <summary>Fraction of the scheduled rate at iteration 0.</summary>
    public double WarmupRatio { get; init => field = Real(value, nameof(WarmupRatio), 1); } = Real(WarmupRatio, nameof(WarmupRatio), 1);

    /// <summary>The learning rate of an iteration, counted from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The iteration is negative.</exception>
    public double At(long iteration)
    {
        _ = Whole(iteration, nameof(iteration));
        double left = Math.Max(0, 1 - ((double)iteration / Math.Max(1, Iterations)));
        double rate = ((BaseRate - MinRate) * Math.Pow(left, Power)) + MinRate;
        if (iteration < WarmupIterations)
        {
            double missing = (1 - ((double)iteration / WarmupIterations)) * (1 - WarmupRatio);
            rate *= 1 - missing;
        }

        return rate;
    }

    private static double Real(double value, string name, double maximum = double.MaxValue) => value >= 0 && value <= maximum
        ? value
        : throw new ArgumentOutOfRangeException(
            name, $"schedule: expected {name} of at least 0 and {(maximum == double.MaxValue ? "finite" : $"at most {maximum}")}, got {value}");

    private static long Whole(long value, string name) =>
        value >= 0 ? value : throw new ArgumentOutOfRangeException(name, $"schedule: expected {name} of at least 0, got {value}");
}
