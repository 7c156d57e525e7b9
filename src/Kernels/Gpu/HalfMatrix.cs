using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Matrices of a batch as they are stored, in float32 or in 16 bits, and the ways from one to the other. Stored in 16 bits, they consist of whole
/// chunks of 8 numbers (16 bytes), which is what cp.async copies: such tensors are made with rows of a multiple of 8, so nothing is copied to align
/// them.
/// </summary>
/// <param name="Data">The first element.</param>
/// <param name="Rows">Rows of a matrix.</param>
/// <param name="Columns">Columns that are used.</param>
/// <param name="Row">Elements from row to row.</param>
/// <param name="Stride">Elements from matrix to matrix; 0 when all products share one.</param>
/// <param name="Matrices">How many there are: 1 when they are shared.</param>
internal readonly record struct HalfMatrix(View Data, int Rows, int Columns, int Row, long Stride, int Matrices)
{
    /// <summary>Matrices of a batch.</summary>
    internal static HalfMatrix Of(View data, int rows, int columns, int row, long stride, int batch) =>
        new(data, rows, columns, row, stride, stride == 0 ? 1 : batch);

    /// <summary>
    /// A scale and its inverse, for gradients: in 16 bits they are stored times the scale (<see cref="Reduction.IReductionKernels.GradientScale"/>).
    /// Absent for what is stored as it is.
    /// </summary>
    internal View Scale { get; init; }

    /// <summary>Chunks from row to row once in 16 bits.</summary>
    internal int RowChunks => Data.IsHalf ? Row / 8 : PackHalf.RowChunks(Columns);

    /// <summary>Chunks from matrix to matrix once in 16 bits.</summary>
    internal int MatrixChunks => Matrices == 1 ? 0 : Data.IsHalf ? Index(Stride / 8) : Rows * RowChunks;

    /// <summary>Bytes of workspace that <see cref="Packed"/> wants.</summary>
    internal long PackedBytes => Data.IsHalf ? 0 : (long)Matrices * Rows * PackHalf.RowChunks(Columns) * 16;

    /// <summary>Floats of workspace that <see cref="Widened"/> wants.</summary>
    internal long WidenedFloats => Data.IsHalf ? (long)Matrices * Rows * Columns : 0;

    /// <summary>
    /// The matrices in 16 bits: where they lie, or rounded into the workspace from <paramref name="at"/> (bytes) on, which moves on. They are rounded
    /// when the launcher's list of matrices to round is flushed, to the type that the list was begun for.
    /// </summary>
    internal ArrayView<Halves8> Packed(GpuLauncher launcher, View workspace, ref long at)
    {
        if (Data.IsHalf)
        {
            return Data.Type == launcher.Packs.Type
                ? Chunks()
                : throw new ArgumentException($"a product of {launcher.Packs.Type} numbers got a matrix of {Rows} x {Columns} in {Data.Type}");
        }

        int chunks = Index(PackedBytes / 16);
        Index(((Matrices - 1) * Stride) + ((long)Rows * Row));
        var target = workspace.GpuBytes.Cast<Halves8>().SubView(at / 16, chunks);
        at += PackedBytes;
        launcher.Packs.Add(Rounding(launcher, launcher.Packs.Type, Data, target, chunks));
        return target;
    }

    /// <summary>The matrices in float32: themselves, or widened into the workspace from <paramref name="at"/> (floats) on, which moves on.</summary>
    internal HalfMatrix Widened(GpuLauncher launcher, View workspace, ref long at)
    {
        var target = Target(workspace, ref at);
        if (Data.IsHalf)
        {
            var floats = target.Data.GpuFloats;
            int chunks = Index(WidenedFloats / 8);
            launcher.LaunchItems(WidenHalf.Kernel(Data.Type), chunks, new WidenArgs
            {
                Source = Chunks(),
                Target = floats.Cast<Float4>(),
                Rows = Rows,
                Columns = Columns / 8,
                Row = Row / 8,
                Matrix = Index(Stride / 8),
                Chunks = chunks,
                Scale = Scale.IsNone ? floats : Scale.GpuFloats,
                Scaled = Scale.IsNone ? 0 : 1,
            });
        }

        return target;
    }

    /// <summary>
    /// Where a float32 kernel may write the matrices: themselves, or dense in the workspace, from where <see cref="Narrow"/> brings them home.
    /// </summary>
    internal HalfMatrix Target(View workspace, ref long at)
    {
        if (!Data.IsHalf)
        {
            return this;
        }

        var target = new HalfMatrix(
            workspace.Shift(at), Rows, Columns, Columns, Matrices == 1 ? 0 : (long)Rows * Columns, Matrices)
        { Scale = Scale };
        at += WidenedFloats;
        return target;
    }

    /// <summary>Rounds what a float32 kernel has written into a <see cref="Target"/> to where it belongs: dense matrices of 16 bits.</summary>
    internal void Narrow(GpuLauncher launcher, HalfMatrix written)
    {
        if (Data.IsHalf)
        {
            if (Row != Columns || (Matrices > 1 && Stride != (long)Rows * Columns))
            {
                throw new ArgumentException($"{Data.Type} results of {Rows} x {Columns}: expected dense ones, got rows {Row} apart");
            }

            var args = written.Rounding(launcher, Data.Type, written.Data, Chunks(), Index(WidenedFloats / 8));
            launcher.LaunchItems(PackHalf.Kernel(Data.Type), args.Chunks, args);
        }
    }

    /// <summary>The stored numbers, in chunks.</summary>
    /// <exception cref="ArgumentException">They are not made of whole chunks.</exception>
    internal ArrayView<Halves8> Chunks() => (Data.Offset | (uint)Columns | (uint)Row | Stride) % 8 == 0
        ? Data.GpuHalves.Cast<Halves8>()
        : throw new ArgumentException($"{Data.Type} matrix of {Rows} x {Columns} at {Data.Offset}, rows {Row} apart: expected multiples of 8");

    private static int Index(long count) => GpuSizes.Index(count, PackHalf.Kernel(DType.BFloat16));

    private PackArgs Rounding(GpuLauncher launcher, DType type, View source, ArrayView<Halves8> target, int chunks) => new()
    {
        Source = source.GpuFloats,
        Target = target,
        Rows = Rows,
        Columns = Columns,
        Row = Row,
        Matrix = Index(Stride),
        Chunks = chunks,
        Aligned = (source.Offset | (uint)Row | Stride) % 4 == 0 ? 1 : 0,
        Scale = Scale.IsNone ? source.GpuFloats : Scale.GpuFloats,
        Scaled = Scale.IsNone ? 0 : 1,
        Overflow = launcher.Half.OverflowOf(type, source.GpuFloats),
    };
}
