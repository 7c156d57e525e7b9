using ILGPU;
using ILGPU.Runtime;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>Number of own tokens of a work group: a compile-time constant of the kernels. A group has four threads a row.</summary>
internal interface IGpuTileRows
{
    static abstract int Rows { get; }
}

/// <summary>The usual number, 32.</summary>
internal readonly struct GpuTile32 : IGpuTileRows
{
    public static int Rows => AttentionPlan.GpuRows;
}

/// <summary>16, where there are no more.</summary>
internal readonly struct GpuTile16 : IGpuTileRows
{
    public static int Rows => AttentionPlan.GpuFewRows;
}

/// <summary>
/// What the attention kernels share. Threads form a grid of rows / 4 by 16: thread (ty, tx) owns rows 4 ty .. 4 ty + 3, the walked tokens tx and
/// tx + 16 of a score tile, and columns 4 tx .. 4 tx + 3 of an output tile. A shared tile has 64 columns in rows of 17 quads: the odd stride puts
/// eight neighbouring rows, and eight neighbouring quads of one row, into different banks.
/// </summary>
internal static class GpuAttentionTile
{
    /// <summary>Tokens of the other side that are met at a time.</summary>
    internal const int Walk = AttentionPlan.GpuWalk;

    /// <summary>Components of a chunk of the head dimension.</summary>
    internal const int Columns = AttentionPlan.GpuColumns;

    /// <summary>Quads from one row of a shared tile to the next.</summary>
    internal const int Stride = (Columns / 4) + 1;

    /// <summary>Copies chunk components of some tokens into a shared tile; absent tokens and components are zeros.</summary>
    internal static void Load(
        GpuAttentionArguments a,
        GpuTokenRows source,
        int start,
        int columns,
        ArrayView<int> tokens,
        int firstToken,
        int count,
        ArrayView<Float4> tile)
    {
        int column = Group.IdxX & 15;
        var quads = source.Data.Cast<Float4>();
        for (int row = Group.IdxX / 16; row < count; row += Group.DimX / 16)
        {
            int token = tokens[firstToken + row];
            var value = new Float4(0f, 0f, 0f, 0f);
            if (token >= 0 && 4 * column < columns)
            {
                int at = start + (token * source.RowStride) + (4 * column);
                if (a.Vector != 0)
                {
                    value = quads[at / 4];
                }
                else
                {
                    int left = columns - (4 * column);
                    value = new Float4(
                        source.Data[at], left > 1 ? source.Data[at + 1] : 0f, left > 2 ? source.Data[at + 2] : 0f,
                            left > 3 ? source.Data[at + 3] : 0f);
                }
            }

            tile[(row * Stride) + column] = value;
        }
    }

    /// <summary>Writes four neighbouring components of a token.</summary>
    internal static void Save(GpuAttentionArguments a, GpuTokenRows target, int start, int columns, int token, Float4 value)
    {
        int column = 4 * (Group.IdxX & 15);
        if (token < 0 || column >= columns)
        {
            return;
        }

        int at = start + (token * target.RowStride) + column;
        if (a.Vector != 0)
        {
            var quads = target.Data.Cast<Float4>();
            quads[at / 4] = value;
            return;
        }

        target.Data[at] = value.X;
        if (column + 1 < columns)
        {
            target.Data[at + 1] = value.Y;
        }

        if (column + 2 < columns)
        {
            target.Data[at + 2] = value.Z;
        }

        if (column + 3 < columns)
        {
            target.Data[at + 3] = value.W;
        }
    }

    /// <summary>Position of the first component of a chunk of a head.</summary>
    internal static int Start(GpuAttentionArguments a, GpuTokenRows rows, int headIndex, int chunk)
    {
        int batch = headIndex / a.Heads;
        return (batch * rows.BatchStride) + ((headIndex - (batch * a.Heads)) * a.HeadDim) + (chunk * Columns);
    }

    /// <summary>Dropout factor of the weight of a query and a key.</summary>
    internal static float Factor(GpuAttentionArguments a, int headIndex, int query, int key)
    {
        ulong index = ((((ulong)(uint)headIndex * (uint)a.Queries) + (uint)query) * (uint)a.Keys) + (uint)key;
        return DropoutMask.Bits(a.DropoutKey, a.DropoutFirst + index) >= a.Threshold ? a.KeptScale : 0f;
    }

    /// <summary>Dropout applied to four queries and one key.</summary>
    internal static Float4 DropQueries(
        GpuAttentionArguments a, int headIndex, Float4 values, int i0, int i1, int i2, int i3, int key) => Quad.Multiply(
        values,
        new Float4(Factor(a, headIndex, i0, key), Factor(a, headIndex, i1, key), Factor(a, headIndex, i2, key), Factor(a, headIndex, i3, key)));

    /// <summary>Dropout factors of one query and four keys.</summary>
    internal static Float4 KeyFactors(GpuAttentionArguments a, int headIndex, int query, int j0, int j1, int j2, int j3) =>
        new(Factor(a, headIndex, query, j0), Factor(a, headIndex, query, j1), Factor(a, headIndex, query, j2), Factor(a, headIndex, query, j3));

    /// <summary>Adds the products of four own rows and the walked rows tx and tx + 16 over a chunk of components to two columns of sums.</summary>
    internal static void Products(
        int columns,
        ArrayView<Float4> own,
        ArrayView<Float4> walked,
        int tx,
        int ty,
        Float4 sums0,
        Float4 sums1,
        out Float4 result0,
        out Float4 result1)
    {
        // Views of the rows: one index serves all six, so that the compiler needs one counter for all addresses.
        int quads = columns >= Columns ? Columns / 4 : (columns + 3) / 4;
        var row0 = own.SubView(4 * ty * Stride, Stride);
        var row1 = own.SubView(((4 * ty) + 1) * Stride, Stride);
        var row2 = own.SubView(((4 * ty) + 2) * Stride, Stride);
        var row3 = own.SubView(((4 * ty) + 3) * Stride, Stride);
        var left = walked.SubView(tx * Stride, Stride);
        var right = walked.SubView((tx + 16) * Stride, Stride);
        for (int i = 0; i < quads; i++)
        {
            Float4 a0 = row0[i], a1 = row1[i], a2 = row2[i], a3 = row3[i];
            sums0 = Quad.Column(sums0, a0, a1, a2, a3, left[i]);
            sums1 = Quad.Column(sums1, a0, a1, a2, a3, right[i]);
        }

        result0 = sums0;
        result1 = sums1;
    }

    /// <summary>Leaves this thread's four values, one a row, for the 16 threads that share the rows.</summary>
    internal static void Share(ArrayView<Float4> partial, int rows, int tx, int ty, Float4 values)
    {
        var floats = partial.Cast<float>();
        int at = (16 * ty) + tx;
        floats[at] = values.X;
        floats[at + (4 * rows)] = values.Y;
        floats[at + (8 * rows)] = values.Z;
        floats[at + (12 * rows)] = values.W;
    }

    /// <summary>Largest of what the threads of four rows left.</summary>
    internal static Float4 GatherMaximum(ArrayView<Float4> partial, int rows, int ty) => new(
        Maximum(partial, 4 * ty),
        Maximum(partial, (4 * ty) + rows),
        Maximum(partial, (4 * ty) + (2 * rows)),
        Maximum(partial, (4 * ty) + (3 * rows)));

    /// <summary>Sums of what the threads of four rows left, always in the same order.</summary>
    internal static Float4 GatherSum(ArrayView<Float4> partial, int rows, int ty) => new(
        Sum(partial, 4 * ty), Sum(partial, (4 * ty) + rows), Sum(partial, (4 * ty) + (2 * rows)), Sum(partial, (4 * ty) + (3 * rows)));

    /// <summary>Values of four rows; 0 for rows that do not exist.</summary>
    internal static Float4 Rows(ArrayView<float> values, int start, int i0, int i1, int i2, int i3) => new(
        i0 < 0 ? 0f : values[start + i0], i1 < 0 ? 0f : values[start + i1], i2 < 0 ? 0f : values[start + i2], i3 < 0 ? 0f : values[start + i3]);

    /// <summary>Weight of a query and a key from its score; 0 where either does not exist or the key lies in the query's future.</summary>
    internal static float Weight(GpuAttentionArguments a, float score, float logSumExp, int query, int key) =>
        query < 0 || key < 0 || Hidden(a, query, key) ? 0f : MathF.Exp((score * a.Scale) - logSumExp);

    /// <summary>Whether a query does not see a key: it lies in the future, or in another sequence that begins alike.</summary>
    internal static bool Hidden(GpuAttentionArguments a, int query, int key) =>
        a.Causal != 0 && (key > query + a.Shared || (key >= a.Shared && key - a.Shared < query - (query % a.Each)));

    private static float Maximum(ArrayView<Float4> partial, int at)
    {
        var max = Quad.Max(Quad.Max(partial[at], partial[at + 1]), Quad.Max(partial[at + 2], partial[at + 3]));
        return MathF.Max(MathF.Max(max.X, max.Y), MathF.Max(max.Z, max.W));
    }

    private static float Sum(ArrayView<Float4> partial, int at)
    {
        var sums = Quad.Add(Quad.Add(partial[at], partial[at + 1]), Quad.Add(partial[at + 2], partial[at + 3]));
        return sums.X + sums.Y + (sums.Z + sums.W);
    }
}
