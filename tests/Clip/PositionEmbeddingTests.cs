using Ldvc.Clip;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Clip;

public sealed class PositionEmbeddingTests
{
    [Theory]
    [InlineData(6, 7, 10)]
    [InlineData(6, 3, 13)]
    [InlineData(14, 32, 32)]
    [InlineData(5, 1, 2)]
    [InlineData(1, 4, 3)]
    public void EqualsInterpolationInDoublePrecision(int grid, int rows, int columns)
    {
        const int Width = 5;
        float[] source = Random(grid, Width);
        float[] actual = PositionEmbedding.Resize(source, grid, rows, columns, Width);
        Assert.Equal((1 + (rows * columns)) * Width, actual.Length);
        Assert.Equal(source[..Width], actual[..Width]);
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < columns; x++)
            {
                for (int c = 0; c < Width; c++)
                {
                    // The hat function centred at each source cell; beyond the outer centres the outermost cell goes on.
                    double v = Math.Clamp(((y + 0.5) * grid / rows) - 0.5, 0, grid - 1), u = Math.Clamp(
                        ((x + 0.5) * grid / columns) - 0.5, 0, grid - 1), sum = 0;
                    for (int j = 0; j < grid; j++)
                    {
                        for (int i = 0; i < grid; i++)
                        {
                            sum += Math.Max(0, 1 - Math.Abs(v - j)) * Math.Max(0, 1 - Math.Abs(u - i)) * source[((1 + (j * grid) + i) * Width) + c];
                        }
                    }

                    Assert.Equal(sum, actual[((1 + (y * columns) + x) * Width) + c], 2e-5);
                }
            }
        }
    }

    [Fact]
    public void TheSameGridStaysAsItIs()
    {
        float[] source = Random(6, 3);
        Assert.Equal(source, PositionEmbedding.Resize(source, 6, 6, 6, 3));
    }

    private static float[] Random(int grid, int width)
    {
        var random = new CounterRandom(8, (ulong)grid);
        return [.. Enumerable.Range(0, (1 + (grid * grid)) * width).Select(_ => (float)random.NextNormal())];
    }
}
