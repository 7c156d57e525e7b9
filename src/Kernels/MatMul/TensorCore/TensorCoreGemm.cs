using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>What <see cref="TensorCoreGemm"/> is launched with. Views that are absent are C, and their flag is not set.</summary>
internal struct TensorCoreGemmArguments
{
    /// <summary>
    /// A and B in chunks of 16 bytes. Rows of 16-bit numbers are padded with zeros to whole chunks, those of float32 (for tf32) are not.
    /// </summary>
    public ArrayView<Halves8> A;
    public ArrayView<Halves8> B;
    public ArrayView<float> C;
    public ArrayView<float> Bias;
    public ArrayView<float> PreActivation;
    public ArrayView<float> Residual;
    public ArrayView<float> ActivationGradientOf;

    /// <summary>A gradient's scale and its inverse.</summary>
    public ArrayView<float> Scale;

    /// <summary>Where numbers that are too large for 16 bits are taken down.</summary>
    public ArrayView<int> Overflow;
    public int M;
    public int N;
    public int K;

    /// <summary>0, or the steps of the sums that one group takes: group z those from z Part on.</summary>
    public int Part;

    /// <summary>Chunks from row to row, and from product to product of a batch.</summary>
    public int RowA;
    public int RowB;
    public int BatchA;
    public int BatchB;

    /// <summary>Floats from row to row, and from product to product, of C and what is laid out like it.</summary>
    public int RowC;
    public int BatchC;
    public float Alpha;

    /// <summary>Bits of <see cref="TensorCoreEpilogue"/>.</summary>
    public int Flags;

    /// <summary>A <see cref="Kernels.Activation"/>.</summary>
    public int Activation;
}

/// <summary>
/// C = epilogue(A B) on the tensor cores: bf16, fp16 or tf32 inputs, float accumulators. A group computes one tile of C. Three stages of shared
/// memory hold three depths of 4 chunks (32 steps of the sum in 16 bits, 16 in tf32): while the warps multiply one, the copies of the next two are
/// under way; one barrier a depth is enough, since the stage that the new copies overwrite was read before that barrier. Group (x, y, z) = (column
/// tile, row tile, product of the batch).
/// </summary>
internal static class TensorCoreGemm
{
    /// <summary>Chunks of the sum in a stage.</summary>
    internal const int RowChunks = MatMulTiles.TensorCoreChunks;

    /// <summary>Stages of the pipeline.</summary>
    internal const int Stages = MatMulTiles.TensorCoreStages;

    internal static void Run<TTile, TA, TB, TNumber>(TensorCoreGemmArguments p)
        where TTile : struct, IGemmTile<TTile>
        where TA : struct, IOperandLayout
        where TB : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber
    {
        int chunksA = TTile.Rows * RowChunks, chunks = chunksA + (TTile.Columns * RowChunks), step = RowChunks * TNumber.ChunkValues;
        var shared = SharedMemory.Allocate1D<Halves8>(Stages * (TTile.Rows + TTile.Columns) * RowChunks).AsContiguous();
        int tileRow = Grid.IdxY * TTile.Rows, tileColumn = Grid.IdxX * TTile.Columns, batch = Grid.IdxZ;
        int depth = p.Part == 0 ? p.K : Math.Min(p.Part, p.K - (batch * p.Part));
        var a = p.A.SubView(batch * p.BatchA, p.A.Length - (batch * p.BatchA));
        var b = p.B.SubView(batch * p.BatchB, p.B.Length - (batch * p.BatchB));
        int warp = Group.IdxX / 32, warpsAcross = TTile.Columns / Strip.Columns;
        int row = warp / warpsAcross * TTile.WarpRows, column = (warp & (warpsAcross - 1)) * Strip.Columns;

        TileCopies copiesA = TA.Prepare(p.RowA, TTile.Rows, tileRow, p.M, depth, TTile.Threads), copiesB = TB.Prepare(
            p.RowB, TTile.Columns, tileColumn, p.N, depth, TTile.Threads);
        TA.Start(copiesA, shared, 0, a, p.RowA, 0, TTile.Threads);
        TB.Start(copiesB, shared, chunksA, b, p.RowB, 0, TTile.Threads);
        AsyncCopy.Commit();
        TA.Start(copiesA, shared, chunks, a, p.RowA, step, TTile.Threads);
        TB.Start(copiesB, shared, chunks + chunksA, b, p.RowB, step, TTile.Threads);
        AsyncCopy.Commit();

        TTile c = default;
        int laneA = TA.LaneA(TTile.Rows, row), laneB = TB.LaneB(TTile.Columns, column);
        int reading = 0, filling = 2 * chunks;
        for (int k = 0; k < depth; k += step)
        {
            AsyncCopy.WaitAllButOne();
            Group.Barrier();
            if (k + (2 * step) < depth)
            {
                TA.Start(copiesA, shared, filling, a, p.RowA, k + (2 * step), TTile.Threads);
                TB.Start(copiesB, shared, filling + chunksA, b, p.RowB, k + (2 * step), TTile.Threads);
            }

            // Committed even when empty: the wait counts groups.
            AsyncCopy.Commit();
            c = Step<TTile, TA, TB, TNumber>(c, shared, reading, chunksA, laneA, laneB, 0);
            c = Step<TTile, TA, TB, TNumber>(c, shared, reading, chunksA, laneA, laneB, 1);
            reading = reading + chunks == Stages * chunks ? 0 : reading + chunks;
            filling = filling + chunks == Stages * chunks ? 0 : filling + chunks;
        }

        AsyncCopy.WaitAll();
        for (int first = 0; first < TTile.Rows; first += TensorCoreEpilogue.Rows)
        {
            // Everyone is done with the tiles of A and B, or with the rows before.
            Group.Barrier();
            if (row >= first && row < first + TensorCoreEpilogue.Rows)
            {
                TTile.Stage(c, shared, row - first, column);
            }

            Group.Barrier();
            TensorCoreEpilogue.Finish<TNumber>(p, shared, TTile.Columns, batch, tileRow + first, tileColumn, TTile.Threads);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TTile Step<TTile, TA, TB, TNumber>(TTile c, ArrayView<Halves8> shared, int a, int chunksA, int laneA, int laneB, int half)
        where TTile : struct, IGemmTile<TTile>
        where TA : struct, IOperandLayout
        where TB : struct, IOperandLayout
        where TNumber : struct, ITensorCoreNumber
    {
        int b = a + chunksA;
        Registers4 b0 = TB.FragmentB(shared, b + TB.Block(laneB, TTile.Columns, 0, half), TTile.Columns);
        Registers4 b1 = TB.FragmentB(shared, b + TB.Block(laneB, TTile.Columns, 1, half), TTile.Columns);
        return TTile.Step<TA, TNumber>(c, shared, a, laneA, half, b0, b1);
    }
}
