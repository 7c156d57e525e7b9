using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>
/// C tiles of 128 x 128, k in steps of 16, 256 threads with 8 x 8 sums each. Two stages of shared memory: while one is multiplied, the next is on its
/// way from global memory in registers, so one barrier a step is enough. Per step and group: 16 KiB in, 524288 operations, 32 per byte; a thread does
/// 64 multiply-adds for four 16-byte reads of shared memory.
/// </summary>
internal static class GpuGemm128<TA, TB>
    where TA : struct, ITileLoader
    where TB : struct, ITileLoader
{
    private const int Edge = MatMulPlan.LargeEdge;
    private const int Depth = MatMulTiles.GpuDepth;
    private const int Operand = Edge * Depth;
    private const int Stage = 2 * Operand;

    internal static void Run(GemmArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(2 * Stage);
        int row0 = Grid.IdxY * Edge, column0 = Grid.IdxX * Edge;
        int startA = Grid.IdxZ * args.StrideA, startB = Grid.IdxZ * args.StrideB;
        int depth = GemmArgs.Depth(args);
        int threadRow = 4 * (Group.IdxX >> 4), threadColumn = 4 * (Group.IdxX & 15);

        TA.Store(shared, 0, TA.Load(args.A, startA, args.Lda, args.M, depth, row0, 0, 0), 0);
        TA.Store(shared, 0, TA.Load(args.A, startA, args.Lda, args.M, depth, row0, 0, 1), 1);
        TB.Store(shared, Operand, TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, 0, 0), 0);
        TB.Store(shared, Operand, TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, 0, 1), 1);
        Group.Barrier();

        var sums = default(Sums8x8);
        int stage = 0;
        for (int k0 = Depth; k0 < depth + Depth; k0 += Depth)
        {
            // Past the end these are zeros, never used.
            var a0 = TA.Load(args.A, startA, args.Lda, args.M, depth, row0, k0, 0);
            var a1 = TA.Load(args.A, startA, args.Lda, args.M, depth, row0, k0, 1);
            var b0 = TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, k0, 0);
            var b1 = TB.Load(args.B, startB, args.Ldb, args.N, depth, column0, k0, 1);

            sums = Multiply(shared, stage, threadRow, threadColumn, sums);

            stage = Stage - stage;
            TA.Store(shared, stage, a0, 0);
            TA.Store(shared, stage, a1, 1);
            TB.Store(shared, stage + Operand, b0, 0);
            TB.Store(shared, stage + Operand, b1, 1);
            Group.Barrier();
        }

        // The sums go through shared memory, half a tile at a time, so that warps store whole rows and the epilogue exists once.
        int place = (threadRow * Edge) + threadColumn;
        for (int half = 0; half < 2; half++)
        {
            Put(shared, place, half == 0 ? sums.UpperLeft : sums.LowerLeft);
            Put(shared, place + (Edge / 2), half == 0 ? sums.UpperRight : sums.LowerRight);
            Group.Barrier();
            Finish(args, shared, row0 + (Edge / 2 * half), column0);
            Group.Barrier();
        }
    }

    // One k a turn: of several, the compiler would load all values before it adds the first, more than there are registers for. The number of turns
    // is a constant, so the device's compiler unrolls them, in this order.
    private static Sums8x8 Multiply(ArrayView<float> shared, int stage, int row, int column, Sums8x8 sums)
    {
        var packs = shared.Cast<Float4>();
        for (int k = 0; k < Depth; k++)
        {
            int exchange = 8 * (k >> 2);
            int a = (stage + (k * Edge) + (row ^ exchange)) >> 2;
            int b = (stage + Operand + (k * Edge) + (column ^ exchange)) >> 2;
            sums = Sums8x8.MultiplyAdd(sums, packs[a], packs[a + 16], packs[b], packs[b + 16]);
        }

        return sums;
    }

    private static void Put(ArrayView<float> shared, int place, Sums4x4 sums)
    {
        var packs = shared.Cast<Float4>();
        packs[place >> 2] = sums.R0;
        packs[(place + Edge) >> 2] = sums.R1;
        packs[(place + (2 * Edge)) >> 2] = sums.R2;
        packs[(place + (3 * Edge)) >> 2] = sums.R3;
    }

    private static void Finish(in GemmArgs args, ArrayView<float> shared, int row0, int column0)
    {
        var packs = shared.Cast<Float4>();
        for (int i = Group.IdxX; i < Edge / 2 * Edge / 4; i += MatMulTiles.GpuThreads)
        {
            GpuGemmEpilogue.Store(args, packs[i], row0 + (i / (Edge / 4)), column0 + (4 * (i & ((Edge / 4) - 1))));
        }
    }
}
