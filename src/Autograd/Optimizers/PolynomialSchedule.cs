namespace Ldvc.Autograd.Optimizers;

/// <summary>Linear warm-up, then polynomial decay (method.md 8, mmsegmentation's "poly" policy).</summary>
/// <param name="BaseRate">Learning rate after the warm-up.</param>
/// <param name="MinRate">Learning rate at the end.</param>
/// <param name="Iterations">All iterations.</param>
/// <param name="Power">Exponent of the decay.</param>
/// <param name="WarmupIterations">Iterations of the warm-up.</param>
/// <param name="WarmupRatio">Fraction of the scheduled rate at iteration 0.</param>
public sealed record PolynomialSchedule(double BaseRate, double MinRate, long Iterations, double Power, long WarmupIterations, double WarmupRatio)
{
    /// <summary>The learning rate of an iteration, counted from 0.</summary>
    public double At(long iteration)
    {
        double left = Math.Max(0, 1 - ((double)iteration / Math.Max(1, Iterations)));
        double rate = ((BaseRate - MinRate) * Math.Pow(left, Power)) + MinRate;
        if (iteration < WarmupIterations)
        {
            double missing = (1 - ((double)iteration / WarmupIterations)) * (1 - WarmupRatio);
            rate *= 1 - missing;
        }

        return rate;
    }
}
