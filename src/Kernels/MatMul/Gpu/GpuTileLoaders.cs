using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>How four neighbouring floats of a matrix are read.</summary>
internal interface IMatrixAccess
{
    /// <summary>Floats offset .. offset + 3, zeros from `left` on.</summary>
    static abstract Float4 Load(ArrayView<float> matrix, int offset, int left);
}

/// <summary>One 16-byte load: offsets, row lengths and sizes are multiples of four.</summary>
internal readonly struct PackedAccess : IMatrixAccess
{
    public static Float4 Load(ArrayView<float> matrix, int offset, int left) => matrix.Cast<Float4>()[offset >> 2];
}

/// <summary>Up to four loads, for everything else.</summary>
internal readonly struct SingleAccess : IMatrixAccess
{
    public static Float4 Load(ArrayView<float> matrix, int offset, int left) => new(
        matrix[offset], left > 1 ? matrix[offset + 1] : 0f, left > 2 ? matrix[offset + 2] : 0f, left > 3 ? matrix[offset + 3] : 0f);
}

/// <summary>Edge of a square tile of C.</summary>
internal interface ITileEdge
{
    static abstract int Size { get; }
}

internal readonly struct Edge128 : ITileEdge
{
    public static int Size => MatMulPlan.LargeEdge;
}

internal readonly struct Edge64 : ITileEdge
{
    public static int Size => MatMulPlan.SmallEdge;
}

/// <summary>
/// Brings 16 values of k for a tile's worth of rows of op(A), or of columns of op(B), into shared memory. There, the values of one k lie together
/// ("Edge.Size" floats), whatever the order in memory; position p of value k is at p ^ (8 * (k / 4)). With this exchange neither the stores of
/// <see cref="AlongK{A,E}"/> (a warp writes 8 rows of 4 groups of k: 32 different banks) nor the 16-byte reads of the product meet in a bank.
/// 256 threads, each moves four floats a part; a tile of 128 has two parts, one of 64 has one.
/// </summary>
internal interface ITileLoader
{
    /// <summary>This thread's four floats of a part: rows from row0 on of `rows`, k from k0 on of `depth`; zeros outside.</summary>
    static abstract Float4 Load(ArrayView<float> matrix, int start, int stride, int rows, int depth, int row0, int k0, int part);

    /// <summary>Puts them into the stage of shared memory that starts at an offset.</summary>
    static abstract void Store(ArrayView<float> shared, int stage, Float4 value, int part);
}

/// <summary>
/// k runs along the matrix's rows in memory (A as it is, B transposed): thread t reads k 4 (t % 4) .. + 3 of row t / 4; stores transpose.
/// </summary>
internal readonly struct AlongK<TAccess, TEdge> : ITileLoader
    where TAccess : struct, IMatrixAccess
    where TEdge : struct, ITileEdge
{
    public static Float4 Load(ArrayView<float> matrix, int start, int stride, int rows, int depth, int row0, int k0, int part)
    {
        int row = row0 + (Group.IdxX >> 2) + (MatMulTiles.GpuThreads / 4 * part), k = k0 + (4 * (Group.IdxX & 3));
        return row < rows && k < depth ? TAccess.Load(matrix, start + (row * stride) + k, depth - k) : new Float4(0f, 0f, 0f, 0f);
    }

    public static void Store(ArrayView<float> shared, int stage, Float4 value, int part)
    {
        int group = Group.IdxX & 3;
        int at = stage + (4 * group * TEdge.Size) + (((Group.IdxX >> 2) + (MatMulTiles.GpuThreads / 4 * part)) ^ (8 * group));
        shared[at] = value.X;
        shared[at + TEdge.Size] = value.Y;
        shared[at + (2 * TEdge.Size)] = value.Z;
        shared[at + (3 * TEdge.Size)] = value.W;
    }
}

/// <summary>
/// k runs down the matrix's columns in memory (A transposed, B as it is): a warp reads whole rows of 512 or 256 bytes; stores copy.
/// </summary>
internal readonly struct AcrossK<TAccess, TEdge> : ITileLoader
    where TAccess : struct, IMatrixAccess
    where TEdge : struct, ITileEdge
{
    public static Float4 Load(ArrayView<float> matrix, int start, int stride, int rows, int depth, int row0, int k0, int part)
    {
        int row = row0 + (4 * (Group.IdxX & ((TEdge.Size / 4) - 1))), k = k0 + (Group.IdxX / (TEdge.Size / 4)) + (8 * part);
        return row < rows && k < depth ? TAccess.Load(matrix, start + (k * stride) + row, rows - row) : new Float4(0f, 0f, 0f, 0f);
    }

    public static void Store(ArrayView<float> shared, int stage, Float4 value, int part)
    {
        int k = (Group.IdxX / (TEdge.Size / 4)) + (8 * part);
        int at = stage + (k * TEdge.Size) + ((4 * (Group.IdxX & ((TEdge.Size / 4) - 1))) ^ (8 * (k >> 2)));
        shared.Cast<Float4>()[at >> 2] = value;
    }
}
