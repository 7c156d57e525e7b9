using Ldvc.Autograd.Optimizers;
using Xunit;

namespace Ldvc.Tests.Autograd;

public class PolynomialScheduleTests
{
    // method.md 8 for VOC.
    private static readonly PolynomialSchedule Voc = new(2e-4, 1e-6, 20000, 0.9, 1500, 1e-6);

    // Computed by hand: ((2e-4 - 1e-6) (1 - i/20000)^0.9 + 1e-6) (1 - (1 - i/1500) (1 - 1e-6)), the last factor up to 1500 only.
    [Theory]
    [InlineData(0, 2.0000000000575114e-10)]
    [InlineData(1, 1.335272210360246e-07)]
    [InlineData(750, 9.663558682930389e-05)]
    [InlineData(1499, 0.0001864003610615672)]
    [InlineData(1500, 0.00018651568568136043)]
    [InlineData(10000, 0.00010764145952236117)]
    [InlineData(19999, 1.026787123521057e-06)]
    [InlineData(20000, 1e-06)]
    [InlineData(25000, 1e-06)]
    public void RatesOfVoc(long iteration, double rate) => Assert.Equal(1, Voc.At(iteration) / rate, 1e-9);

    [Fact]
    public void RisesDuringTheWarmUpAndFallsAfterIt()
    {
        for (long i = 0; i < 20000; i++)
        {
            Assert.True(i < 1500 ? Voc.At(i + 1) > Voc.At(i) : Voc.At(i + 1) < Voc.At(i), $"iteration {i}");
        }
    }

    [Fact]
    public void WithoutWarmUpOrIterations()
    {
        Assert.Equal(0.5, new PolynomialSchedule(0.5, 0.1, 10, 1, 0, 1e-6).At(0));
        Assert.Equal(0.3, new PolynomialSchedule(0.5, 0.1, 10, 1, 0, 1e-6).At(5), 1e-12);
        Assert.Equal(0.5, new PolynomialSchedule(0.5, 0.1, 0, 1, 0, 1e-6).At(0));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void ANumberThatIsNoneIsRefusedByItsName(double number)
    {
        (string Name, Func<object> Make)[] all =
        [
            ("BaseRate", () => Voc with { BaseRate = number }), ("BaseRate", () => new PolynomialSchedule(number, 0, 1, 1, 0, 0)),
            ("MinRate", () => Voc with { MinRate = number }), ("MinRate", () => new PolynomialSchedule(1, number, 1, 1, 0, 0)),
            ("Power", () => Voc with { Power = number }), ("Power", () => new PolynomialSchedule(1, 0, 1, number, 0, 0)),
            ("WarmupRatio", () => Voc with { WarmupRatio = number }), ("WarmupRatio", () => new PolynomialSchedule(1, 0, 1, 1, 0, number)),
            ("WarmupRatio", () => Voc with { WarmupRatio = 1.5 }),
            ("Iterations", () => Voc with { Iterations = -5 }), ("Iterations", () => new PolynomialSchedule(1, 0, -5, 1, 0, 0)),
            ("WarmupIterations", () => Voc with { WarmupIterations = -5 }), ("iteration", () => Voc.At(-1)),
        ];
        Assert.All(all, each => Assert.Equal(each.Name, Assert.Throws<ArgumentOutOfRangeException>(() => each.Make()).ParamName));
    }
}
