using Ldvc.Lab.Ablation;
using Xunit;

namespace Ldvc.Tests.Ablation;

/// <summary>The paired t-test against published and closed-form values.</summary>
public sealed class PairedTTestTests
{
    /// <summary>Student's own example (Biometrika 6, 1908): hours of sleep gained with two drugs by ten patients; R's sleep data.</summary>
    [Fact]
    public void StudentsSleepData()
    {
        PairedTTest test = PairedTTest.Of([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])!.Value;
        Assert.Equal(10, test.Difference.Count);
        Assert.Equal(1.58, test.Difference.Mean, 12);
        Assert.Equal(1.229995, test.Difference.StandardDeviation, 6);
        Assert.Equal(4.0621, test.T, 4);
        Assert.Equal(0.002833, test.P, 6);
    }

    /// <summary>With one and two degrees of freedom: p = 1 - 2 atan(t) / pi, and p = 1 - t / sqrt(2 + t^2).</summary>
    [Fact]
    public void FewDegreesOfFreedomHaveClosedForms()
    {
        PairedTTest two = PairedTTest.Of([1, 3])!.Value, three = PairedTTest.Of([-1, -2, -6])!.Value;
        Assert.Equal(2, two.T, 12);
        Assert.Equal(1 - (2 * Math.Atan(2) / Math.PI), two.P, 9);
        double t = -3 / (Math.Sqrt(7) / Math.Sqrt(3));
        Assert.Equal(t, three.T, 12);
        Assert.Equal(1 + (t / Math.Sqrt(2 + (t * t))), three.P, 9);
    }

    [Fact]
    public void WhereNothingCanBeSaidNothingIs()
    {
        Assert.Null(PairedTTest.Of([]));
        Assert.Null(PairedTTest.Of([0.4]));
        Assert.Null(PairedTTest.Of([0.4, double.NaN, 0.2]));
        Assert.Equal((double.PositiveInfinity, 0), (PairedTTest.Of([0.5, 0.5])!.Value.T, PairedTTest.Of([0.5, 0.5])!.Value.P));
        Assert.True(double.IsNaN(PairedTTest.Of([0, 0])!.Value.T) && double.IsNaN(PairedTTest.Of([0, 0])!.Value.P));
        Assert.Equal(1, PairedTTest.Of([-1, 1])!.Value.P, 12);
    }
}
