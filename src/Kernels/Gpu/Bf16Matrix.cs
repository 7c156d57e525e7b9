using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Matrices of a batch as they are stored, in float32 or bf16, and the ways from one to the other. Stored in bf16, they consist of whole chunks of 8 numbers
/// (16 bytes), which is what cp.async copies: such tensors are made with rows of a multiple of 8, so nothing is copied to align them.
/// </summary>
/// <param name="Data">The first element.</param>
/// <param name="Rows">Rows of a matrix.</param>
/// <param name="Columns">Columns that are used.</param>
/// <param name="Row">Elements from row to row.</param>
/// <param name="Stride">Elements from matrix to matrix; 0 when all products share one.</param>
/// <param name="Matrices">How many there are: 1 when they are shared.</param>
internal readonly record struct Bf16Matrix(View Data, int Rows, int Columns, int Row, long Stride, int Matrices)
{
    /// <summary>Matrices of a batch.</summary>
    internal static Bf16Matrix Of(View data, int rows, int columns, int row, long stride, int batch) =>
        new(data, rows, columns, row, stride, stride == 0 ? 1 : batch);

    /// <summary>Chunks from row to row once in bf16.</summary>
    internal int RowChunks => Data.IsBf16 ? Row / 8 : PackBf16.RowChunks(Columns);

    /// <summary>Chunks from matrix to matrix once in bf16.</summary>
    internal int MatrixChunks => Matrices == 1 ? 0 : Data.IsBf16 ? GpuSizes.Index(Stride / 8, PackBf16.Kernel) : Rows * RowChunks;

    /// <summary>Bytes of workspace that <see cref="Packed"/> wants.</summary>
    internal long PackedBytes => Data.IsBf16 ? 0 : (long)Matrices * Rows * PackBf16.RowChunks(Columns) * 16;

    /// <summary>Floats of workspace that <see cref="Widened"/> wants.</summary>
    internal long WidenedFloats => Data.IsBf16 ? (long)Matrices * Rows * Columns : 0;

    /// <summary>
    /// The matrices in bf16: where they lie, or rounded into the workspace from <paramref name="at"/> (bytes) on, which moves on. They are rounded when the launcher's
    /// list of matrices to round is flushed.
    /// </summary>
    internal ArrayView<Bf16x8> Packed(GpuLauncher launcher, View workspace, ref long at)
    {
        if (Data.IsBf16)
        {
            return Chunks();
        }

        int chunks = GpuSizes.Index(PackedBytes / 16, PackBf16.Kernel);
        GpuSizes.Index(((Matrices - 1) * Stride) + ((long)Rows * Row), PackBf16.Kernel);
        var target = workspace.GpuBytes.Cast<Bf16x8>().SubView(at / 16, chunks);
        at += PackedBytes;
        launcher.Packs.Add(Rounding(Data, target, chunks));
        return target;
    }

    /// <summary>The matrices in float32: themselves, or widened into the workspace from <paramref name="at"/> (floats) on, which moves on.</summary>
    internal Bf16Matrix Widened(GpuLauncher launcher, View workspace, ref long at)
    {
        var target = Target(workspace, ref at);
        if (Data.IsBf16)
        {
            int chunks = GpuSizes.Index(WidenedFloats / 8, WidenBf16.Kernel);
            launcher.LaunchItems(WidenBf16.Kernel, chunks, new WidenArgs
            {
                Source = Chunks(),
                Target = target.Data.GpuFloats.Cast<Float4>(),
                Rows = Rows,
                Columns = Columns / 8,
                Row = Row / 8,
                Matrix = GpuSizes.Index(Stride / 8, WidenBf16.Kernel),
                Chunks = chunks,
            });
        }

        return target;
    }

    /// <summary>Where a float32 kernel may write the matrices: themselves, or dense in the workspace, from where <see cref="Narrow"/> brings them home.</summary>
    internal Bf16Matrix Target(View workspace, ref long at)
    {
        if (!Data.IsBf16)
        {
            return this;
        }

        var target = new Bf16Matrix(workspace.Shift(at), Rows, Columns, Columns, Matrices == 1 ? 0 : (long)Rows * Columns, Matrices);
        at += WidenedFloats;
        return target;
    }

    /// <summary>Rounds what a float32 kernel has written into a <see cref="Target"/> to where it belongs: dense bf16 matrices.</summary>
    internal void Narrow(GpuLauncher launcher, Bf16Matrix written)
    {
        if (Data.IsBf16)
        {
            if (Row != Columns || (Matrices > 1 && Stride != (long)Rows * Columns))
            {
                throw new ArgumentException($"bf16 results of {Rows} x {Columns}: expected dense ones, got rows {Row} apart");
            }

            var args = written.Rounding(written.Data, Chunks(), GpuSizes.Index(WidenedFloats / 8, PackBf16.Kernel));
            launcher.LaunchItems(PackBf16.Kernel, args.Chunks, args);
        }
    }

    /// <summary>The stored bf16 numbers, in chunks.</summary>
    /// <exception cref="ArgumentException">They are not made of whole chunks.</exception>
    internal ArrayView<Bf16x8> Chunks() => (Data.Offset | (uint)Columns | (uint)Row | Stride) % 8 == 0
        ? Data.GpuBf16.Cast<Bf16x8>()
        : throw new ArgumentException($"bf16 matrix of {Rows} x {Columns} at {Data.Offset}, rows {Row} apart: expected multiples of 8");

    private PackArgs Rounding(View source, ArrayView<Bf16x8> target, int chunks) => new()
    {
        Source = source.GpuFloats,
        Target = target,
        Rows = Rows,
        Columns = Columns,
        Row = Row,
        Matrix = GpuSizes.Index(Stride, PackBf16.Kernel),
        Chunks = chunks,
        Aligned = (source.Offset | (uint)Row | Stride) % 4 == 0 ? 1 : 0,
    };
}
