using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Ablation;

public sealed class FragmentationTests
{
    [Fact]
    public void RegionsAreThoseOfAFloodFill()
    {
        for (ulong seed = 0; seed < 40; seed++)
        {
            var random = new CounterRandom(seed, 7);
            int width = random.NextInt(1, 24), height = random.NextInt(1, 24);
            var keys = new long[width * height];
            foreach (ref long key in keys.AsSpan())
            {
                key = random.NextInt(-1, 2);
            }

            var regions = new int[keys.Length];
            int count = ConnectedRegions.Label(keys, width, regions);
            int[] expected = Flood(keys, width, height);
            Assert.Equal(expected, regions);
            Assert.Equal(expected.Max() + 1, count);
        }
    }

    [Fact]
    public void ASpiralIsOneRegion()
    {
        // Two-pass labelling gives a spiral many provisional numbers that must all be joined.
        string[] rows =
        [
            "#########",
            "........#",
            "#######.#",
            "#.....#.#",
            "#.###.#.#",
            "#.#...#.#",
            "#.#####.#",
            "#.......#",
            "#########",
        ];
        long[] keys = [.. rows.SelectMany(r => r.Select(c => c == '#' ? 0 : -1))];
        Assert.Equal(1, ConnectedRegions.Label(keys, 9, new int[81]));
    }

    [Fact]
    public void APerfectPredictionHasOnePiecePerObject()
    {
        LabelMap truth = Map(
            ".aaaaa...bbbbbb", ".aaaaa...bbbbbb", ".aaaaa...bbbbbb", ".aaaaa...bbbbbb", "...............", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa");
        var torn = new Fragmentation();
        torn.Add(truth, truth, 20);
        Assert.Equal((3, 3, 3, 3, 3), (torn.Objects, torn.Pieces, torn.LargePieces, torn.Found, torn.RightPieces));
        Assert.Equal((1, 1), (torn.PiecesPerObject, torn.RightPiecesPerFound));
    }

    [Fact]
    public void IslandsAndWrongClassesAreCounted()
    {
        LabelMap truth = Map("aaaaaaaa", "aaaaaaaa", "aaaaaaaa", "........", "bbbbbbbb", "bbbbbbbb", "cc......");
        LabelMap prediction = Map("aabbbaaa", "aabbbaaa", "aabbbaac", "aaaaaaaa", "aaaaaaaa", "aaaaaaaa", "bbbbbbbb");
        var torn = new Fragmentation();
        torn.Add(truth, prediction, 9);

        // Object a: left, island b, right, corner c. Object b: one piece, wrong. Object c is smaller than what is looked at.
        Assert.Equal((2, 5), (torn.Objects, torn.Pieces));

        // Left has 6 pixels, the island 9, right 8, the corner 1, object b 16.
        Assert.Equal((2, 1), (torn.LargePieces, torn.LargePiecesPerObject));
        Assert.Equal((1, 2), (torn.Found, torn.RightPieces));
        Assert.Equal(2.5, torn.PiecesPerObject);
        Assert.Equal(2, torn.RightPiecesPerFound);
        Assert.True(double.IsNaN(new Fragmentation().PiecesPerObject));
        Assert.Throws<ArgumentException>(() => torn.Add(truth, Map("a"), 9));
    }

    private static LabelMap Map(params string[] rows) =>
        new(rows[0].Length, rows.Length, [.. rows.SelectMany(r => r.Select(c => c == '.' ? LabelMap.Ignore : (byte)(c - 'a')))]);

    private static int[] Flood(long[] keys, int width, int height)
    {
        var regions = new int[keys.Length];
        Array.Fill(regions, -1);
        int next = 0;
        for (int start = 0; start < keys.Length; start++)
        {
            if (keys[start] < 0 || regions[start] >= 0)
            {
                continue;
            }

            var open = new Stack<int>([start]);
            regions[start] = next;
            while (open.TryPop(out int at))
            {
                for (int dy = -1; dy <= 1; dy++)
                {
                    for (int dx = -1; dx <= 1; dx++)
                    {
                        int x = (at % width) + dx, y = (at / width) + dy, to = (y * width) + x;
                        if (x >= 0 && y >= 0 && x < width && y < height && keys[to] == keys[start] && regions[to] < 0)
                        {
                            regions[to] = next;
                            open.Push(to);
                        }
                    }
                }
            }

            next++;
        }

        return regions;
    }
}
