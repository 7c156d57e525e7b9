using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Xunit;

namespace Ldvc.Tests.Kernels;

public class MaskLossVectorLogTests
{
    [Fact]
    public void RelativeErrorIsAsStated()
    {
        double worst = 0;
        for (int i = 1; i <= 100_000; i++)
        {
            // Even steps, and a geometric descent towards zero.
            foreach (float u in new[] { i / 100_000f, MathF.Pow(10, -30f * i / 100_000) })
            {
                double actual = VectorLog<Simd128, Vector128<float>>.Log1pUnit(Vector128.Create(u))[0];
                double exact = u < 1e-3 ? u - ((double)u * u / 2) + ((double)u * u * u / 3) : Math.Log(1.0 + u);
                worst = Math.Max(worst, Math.Abs((actual / exact) - 1));
            }
        }

        Assert.InRange(worst, 1e-9, 2.2e-7);
        Assert.Equal(0f, VectorLog<Simd128, Vector128<float>>.Log1pUnit(Vector128<float>.Zero)[0]);
    }
}
