using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens.Gpu;

internal readonly struct MeanArgs
{
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal int Tokens { get; init; }

    /// <summary>Packs from token to token.</summary>
    internal int XRow { get; init; }

    internal int YRow { get; init; }

    /// <summary>Packs of a token.</summary>
    internal int Width { get; init; }
}

/// <summary>
/// Sequences less their mean in one launch: group (x, y) holds eight packs of every token of sequence y. Each of its rows of threads adds every 32nd
/// token, the rows' results are added in order, and the same threads subtract. What is read a second time comes from the caches. 8 bytes a float:
/// limited by memory.
/// </summary>
internal static class GpuMeans<T>
    where T : unmanaged, IPack<T>
{
    private const int Columns = TokensPlan.GpuMeanColumns;

    internal static void Remove(MeanArgs args)
    {
        var shared = SharedMemory.Allocate1D<T>(TokensPlan.GpuThreads);
        int column = Group.IdxX & (Columns - 1), row = Group.IdxX / Columns, rows = Group.DimX / Columns, i = (Grid.IdxX * Columns) + column;
        int from = (Grid.IdxY * args.Tokens * args.XRow) + i, to = (Grid.IdxY * args.Tokens * args.YRow) + i,
            tokens = i < args.Width ? args.Tokens : 0;
        var x = args.X.Cast<T>();
        var y = args.Y.Cast<T>();
        var sum = T.Fill(0f);
        for (int token = row; token < tokens; token += rows)
        {
            sum = T.Add(sum, x[from + (token * args.XRow)]);
        }

        shared[Group.IdxX] = sum;
        Group.Barrier();
        var total = T.Fill(0f);
        for (int other = 0; other < rows; other++)
        {
            total = T.Add(total, shared[(other * Columns) + column]);
        }

        var shift = T.Multiply(total, T.Fill(-1f / args.Tokens));
        for (int token = row; token < tokens; token += rows)
        {
            y[to + (token * args.YRow)] = T.Add(x[from + (token * args.XRow)], shift);
        }
    }
}
