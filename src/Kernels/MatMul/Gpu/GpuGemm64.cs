using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>
/// C tiles of 64 x 64, k in steps of 16, 256 threads with 4 x 4 sums each: four times as many groups as <see cref="GpuGemm128{TA,TB}"/>, for products
/// too small to fill the device with large tiles. Otherwise the same: two stages, one barrier a step; 16 operations per byte.
/// </summary>
internal static class GpuGemm64<TA, TB>
    where TA : struct, ITileLoader
    where TB : struct, ITileLoader
{
    private const int Edge = MatMulPlan.SmallEdge;
    private const int Depth = MatMulTiles.GpuDepth;
    private const int Operand = Edge * Depth;
    private const int Stage = 2 * Operand;

    // From one k to the next.
    private const int Quads = Edge / 4;

    internal static void Run(GemmArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(2 * Stage);
        int row0 = Grid.IdxY * Edge, column0 = Grid.IdxX * Edge;
        int startA = Grid.IdxZ * args.StrideA, startB = Grid.IdxZ * args.StrideB;
        int depth = GemmArgs.Depth(args);
        int threadRow = 4 * (Group.IdxX >> 4), threadColumn = 4 * (Group.IdxX & 15);

        TA.Store(shared, 0, TA.Load(args.A, startA, args.Lda, args.M, depth, row0, 0, 0), 0);
        TB.Store(shared, Operand, TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, 0, 0), 0);
        Group.Barrier();

        var sums = default(Sums4x4);
        int stage = 0;
        for (int k0 = Depth; k0 < depth + Depth; k0 += Depth)
        {
            var a = TA.Load(args.A, startA, args.Lda, args.M, depth, row0, k0, 0);
            var b = TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, k0, 0);
            sums = Multiply(shared, stage, threadRow, threadColumn, sums);
            stage = Stage - stage;
            TA.Store(shared, stage, a, 0);
            TB.Store(shared, stage + Operand, b, 0);
            Group.Barrier();
        }

        // A loop over registers: the epilogue is long, and unrolled it would be most of the kernel.
        for (int i = 0; i < 4; i++)
        {
            var sum = i == 0 ? sums.R0 : i == 1 ? sums.R1 : i == 2 ? sums.R2 : sums.R3;
            GpuGemmEpilogue.Store(args, sum, row0 + threadRow + i, column0 + threadColumn);
        }
    }

    private static Sums4x4 Multiply(ArrayView<float> shared, int stage, int row, int column, Sums4x4 sums)
    {
        var packs = shared.Cast<Float4>();
        for (int group = 0; group < Depth / 4; group++)
        {
            int a = (stage + (group * 4 * Edge) + (row ^ (8 * group))) >> 2;
            int b = (stage + Operand + (group * 4 * Edge) + (column ^ (8 * group))) >> 2;
            sums = Sums4x4.MultiplyAdd(sums, packs[a], packs[b]);
            sums = Sums4x4.MultiplyAdd(sums, packs[a + Quads], packs[b + Quads]);
            sums = Sums4x4.MultiplyAdd(sums, packs[a + (2 * Quads)], packs[b + (2 * Quads)]);
            sums = Sums4x4.MultiplyAdd(sums, packs[a + (3 * Quads)], packs[b + (3 * Quads)]);
        }

        return sums;
    }
}
