using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests;

public class CounterRandomTests
{
    [Fact]
    public void SameSeedSameNumbersOtherStreamOthers()
    {
        var a = new CounterRandom(7, 1);
        var b = new CounterRandom(7, 1);
        var c = new CounterRandom(7, 2);
        for (int i = 0; i < 100; i++)
        {
            ulong x = a.NextBits();
            Assert.Equal(x, b.NextBits());
            Assert.NotEqual(x, c.NextBits());
        }
    }

    [Fact]
    public void NormalHasUnitVariance()
    {
        var random = new CounterRandom(1);
        double sum = 0, squares = 0;
        const int n = 100_000;
        for (int i = 0; i < n; i++)
        {
            double x = random.NextNormal();
            sum += x;
            squares += x * x;
        }

        Assert.InRange(sum / n, -0.02, 0.02);
        Assert.InRange(squares / n, 0.97, 1.03);
    }
}
