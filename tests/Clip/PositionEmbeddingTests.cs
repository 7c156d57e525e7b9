using Ldvc.Autograd;
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

    // A folder of pictures of many sizes, each in one window, asks for many grids, with megabytes each in a real model.
    [Fact]
    public void GridsOfManyPicturesAreNotKeptForEver()
    {
        using var device = new CpuDevice(2);
        using var model = TinyClip.Load(device);
        float[] Tokens(int rows, int columns, bool recording = false)
        {
            using var tape = new Tape(device, recording);
            using var picture = device.Zeros(new Shape(1, 3, 16 * rows, 16 * columns));
            return model.Visual.Embed(tape, picture).Value.ToArray();
        }

        float[] first = Tokens(1, 2), trained = Tokens(2, 1, recording: true);
        long before = device.Pool.LiveBlocks;
        for (int columns = 3; columns < 43; columns++)
        {
            Tokens(1, columns);
        }

        Assert.InRange(device.Pool.LiveBlocks - before, 1, ResizedPositions.Kept);

        // What a training uses is never made anew; what is asked for again is what it was.
        long allocated = device.Pool.LiveBlocks;
        Assert.Equal(trained, Tokens(2, 1));
        Assert.Equal(first, Tokens(1, 2));
        Assert.Equal(allocated, device.Pool.LiveBlocks);
    }

    [Fact]
    public void TheGridThatWasAskedForLongestAgoGoes()
    {
        using var device = new CpuDevice(1);
        using var resized = new ResizedPositions();
        int made = 0;
        Parameter Get(int rows, int columns, bool stays = false) => resized.Get(rows, columns, stays, () =>
        {
            made++;
            return new Parameter(device.Zeros(new Shape(rows * columns)), trainable: false);
        });

        Parameter stays = Get(5, 5, stays: true), again = Get(9, 1), oldest = Get(9, 2);
        for (int columns = 3; columns < 3 + ResizedPositions.Kept; columns++)
        {
            Assert.Same(again, Get(9, 1));
            Get(9, columns);
        }

        Assert.Equal(ResizedPositions.Kept + 1, resized.Count);
        Assert.Same(stays, Get(5, 5));
        Assert.Equal(ResizedPositions.Kept + 3, made);
        Assert.NotSame(oldest, Get(9, 2));
        Assert.Throws<ObjectDisposedException>(() => oldest.Value);
    }

    private static float[] Random(int grid, int width)
    {
        var random = new CounterRandom(8, (ulong)grid);
        return [.. Enumerable.Range(0, (1 + (grid * grid)) * width).Select(_ => (float)random.NextNormal())];
    }
}
