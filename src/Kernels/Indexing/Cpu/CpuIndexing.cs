using Ldvc.Tensors;

namespace Ldvc.Kernels.Indexing.Cpu;

internal unsafe struct IndexingArguments
{
    public float* Source;
    public float* Target;
    public int* Indices;
    public int Outer;
    public int Rows;
    public int Inner;
    public int Count;
    public int Tiles;
}

/// <summary>CPU selection by index: copies of slices, and sums over columns of slices in the order of the indices.</summary>
internal sealed unsafe class CpuIndexing(CpuThreads threads) : IIndexingKernels
{
    private const int ColumnTile = IndexingPlan.CpuColumns;

    public void Select(View x, View indices, View y, int outer, int rows, int inner, int count)
    {
        var a = Arguments(x, indices, y, outer, rows, inner, count);
        a.Tiles = Tiling.Count((long)outer * count, inner);
        threads.For(a.Tiles, &a, &SelectTile);
    }

    public void SelectBackward(View dy, View indices, View dx, int outer, int rows, int inner, int count)
    {
        var a = Arguments(dy, indices, dx, outer, rows, inner, count);
        a.Tiles = outer * IndexingPlan.CpuTiles(inner);
        threads.For(a.Tiles, &a, &AddTile);
    }

    private static IndexingArguments Arguments(View source, View indices, View target, int outer, int rows, int inner, int count) =>
        new() { Source = source.Floats, Target = target.Floats, Indices = indices.Ints, Outer = outer, Rows = rows, Inner = inner, Count = count };

    private static void SelectTile(IndexingArguments* a, int tile, int worker)
    {
        long slices = (long)a->Outer * a->Count, bytes = (long)a->Inner * sizeof(float);
        for (long i = Tiling.Start(slices, a->Tiles, tile), end = Tiling.Start(slices, a->Tiles, tile + 1); i < end; i++)
        {
            long outer = i / a->Count;
            int index = a->Indices[i - (outer * a->Count)];
            if ((uint)index >= (uint)a->Rows)
            {
                new Span<float>(a->Target + (i * a->Inner), a->Inner).Fill(float.NaN);
                continue;
            }

            Buffer.MemoryCopy(a->Source + (((outer * a->Rows) + index) * a->Inner), a->Target + (i * a->Inner), bytes, bytes);
        }
    }

    private static void AddTile(IndexingArguments* a, int tile, int worker)
    {
        int tiles = IndexingPlan.CpuTiles(a->Inner), start = tile % tiles * ColumnTile, columns = Math.Min(ColumnTile, a->Inner - start);
        long outer = tile / tiles;
        float* source = a->Source + (outer * a->Count * a->Inner) + start;
        float* target = a->Target + (outer * a->Rows * a->Inner) + start;
        for (int i = 0; i < a->Count; i++, source += a->Inner)
        {
            if ((uint)a->Indices[i] < (uint)a->Rows)
            {
                float* sums = target + ((long)a->Indices[i] * a->Inner);
                for (int j = 0; j < columns; j++)
                {
                    sums[j] += source[j];
                }
            }
        }
    }
}
