using System.Runtime.InteropServices;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>
/// CPU matrix product in the manner of Goto. A group of K blocks is met at once: B in panels, packed for all threads unless it is a frozen weight that is
/// kept so; A in slivers of a few rows, read in place, packed only when it is transposed. A panel's K block stays in L1 while the slivers pass it, a block
/// of A stays in L2 while the panels pass it, and a tile of C meets all K blocks of the group before it leaves L1.
/// </summary>
internal sealed unsafe class CpuMatMul(CpuThreads threads) : IMatMulKernels, IDisposable
{
    // K block: one block of a B panel (256 x 32 floats) is 32 KiB, the L1 of most machines; narrower vectors take half or a quarter.
    private const int MaxKc = 256;

    // K blocks of a group: C is read and written once a group.
    private const int MaxGroup = 4;

    // Floats of a block of A: 640 KiB, beside which B's panels still pass through a 1 MiB L2.
    private const int MaxBlock = 163840;

    // Tiles a thread gets where they cost nothing: a core that the machine slows down then leaves some to the others.
    private const int TilesPerThread = 4;

    private readonly Lock _lock = new();
    private float* _packedB;
    private long _packedBLength;
    private float* _scratch;
    private long _scratchLength;

    public void Run(in Gemm gemm)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        lock (_lock)
        {
            SimdDispatch.Run(new ProductCall(this, in gemm));
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_scratch);
        NativeMemory.AlignedFree(_packedB);
        _scratch = null;
        _packedB = null;
        (_scratchLength, _packedBLength) = (0, 0);
    }

    private static void Grow(ref float* buffer, ref long length, long wanted)
    {
        if (length < wanted)
        {
            // Empty first: the allocation may fail, and the next product must find no freed memory.
            NativeMemory.AlignedFree(buffer);
            buffer = null;
            length = 0;
            buffer = (float*)CpuMemory.Allocate(checked(wanted * sizeof(float)));
            length = wanted;
        }
    }

    private void Run<S, V, R, TLast>(in Gemm gemm)
        where S : ISimd<V>
        where V : struct
        where R : IRowBlock
        where TLast : IRowBlock
    {
        int mr = R.Rows, nr = 2 * S.Count;
        int kBlocks = Math.Max(1, (gemm.K + MaxKc - 1) / MaxKc);
        int kc = Math.Max(1, (gemm.K + kBlocks - 1) / kBlocks);
        int panels = (gemm.N + nr - 1) / nr, slivers = (gemm.M + mr - 1) / mr;
        int group = Math.Min(kBlocks, MaxGroup);
        int ks = kc * group;
        bool packA = gemm.TransposeA, kept = gemm.KeptPanels && gemm.TransposeB;
        int most = Math.Max(1, MaxBlock / (ks * mr));
        var (mBlocks, nBlocks) = packA ? SplitPacked(slivers, panels, most) : Split(slivers, panels, most);
        int sliversPerBlock = (slivers + mBlocks - 1) / mBlocks;
        bool packInBlock = !kept && mBlocks == 1;
        if (!kept && !packInBlock)
        {
            Grow(ref _packedB, ref _packedBLength, (long)panels * nr * ks);
        }

        long scratchLength = ((packA ? (long)sliversPerBlock : 1) * mr * ks) + ((long)sliversPerBlock * mr * nr) + (packInBlock ? (long)nr * ks : 0);
        Grow(ref _scratch, ref _scratchLength, threads.Count * scratchLength);
        var a = new GemmArguments
        {
            M = gemm.M,
            N = gemm.N,
            Lda = gemm.Lda,
            Ldb = gemm.Ldb,
            Ldc = gemm.Ldc,
            PackA = packA,
            PackInBlock = packInBlock,
            TransposeA = gemm.TransposeA,
            TransposeB = gemm.TransposeB,
            KeptPanels = gemm.KeptPanels,
            Alpha = gemm.Alpha,
            Activation = gemm.Activation,
            Bias = gemm.Bias.Floats,
            Scratch = _scratch,
            PackedB = _packedB,
            Kc = kc,
            Slivers = slivers,
            SliversPerBlock = sliversPerBlock,
            ScratchLength = scratchLength,
            MBlocks = mBlocks,
            NBlocks = nBlocks,
            PanelCount = panels,
            PackTiles = Math.Min(panels, Math.Max(1, (int)((long)panels * nr * ks / 16384))),
            PanelWidth = kept ? PanelLayout.Width : nr,
        };
        for (int batch = 0; batch < gemm.Batch; batch++)
        {
            long shift = batch * gemm.StrideC;
            a.C = gemm.C.Shift(shift).Floats;
            a.PreActivation = gemm.PreActivation.IsNone ? null : gemm.PreActivation.Shift(shift).Floats;
            a.Residual = gemm.Residual.IsNone ? null : gemm.Residual.Shift(shift).Floats;
            a.ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? null : gemm.ActivationGradientOf.Shift(shift).Floats;
            a.B = gemm.B.Floats + (batch * gemm.StrideB);
            for (int k = 0; k < Math.Max(1, gemm.K); k += ks)
            {
                a.K0 = k;
                a.Ks = Math.Min(ks, gemm.K - k);
                a.A = gemm.A.Floats + (batch * gemm.StrideA) + (gemm.TransposeA ? (long)k * gemm.Lda : k);
                a.Add = gemm.Accumulate || k > 0;
                a.Last = k + ks >= gemm.K;
                a.Panels = kept ? a.B + ((long)k * PanelLayout.Width) : _packedB;
                a.PanelStride = kept ? (long)PanelLayout.Width * gemm.Ldb : (long)nr * a.Ks;

                // A batch that shares B (one weight, many pictures) finds it packed already when one group holds it all.
                if (!kept && !packInBlock && (batch == 0 || gemm.StrideB != 0 || gemm.K > ks))
                {
                    threads.For(a.PackTiles, &a, &GemmTiles<S, V, R, TLast>.PackB);
                }

                threads.For(mBlocks * nBlocks, &a, &GemmTiles<S, V, R, TLast>.Block);
            }
        }
    }

    /// <summary>How to share the tiles out when A is read in place: a tile costs nothing but its product, so several a thread keep all busy to the end.</summary>
    private (int M, int N) Split(int slivers, int panels, int most)
    {
        int team = threads.Count, blocks = (slivers + most - 1) / most;
        if (team == 1)
        {
            return (blocks, 1);
        }

        int columns = Math.Min(panels, team * Math.Max(1, (TilesPerThread + blocks - 1) / blocks));
        return blocks * columns >= 2 * team ? (blocks, columns) : (Math.Min(slivers, Math.Max(blocks, TilesPerThread * team)), columns);
    }

    /// <summary>
    /// How to share the tiles out when tiles pack their rows of A: by rows, in a multiple of the team so that all threads end together; by columns too
    /// when the rows are too few or do not come out even (each column block packs A again). No sum depends on it.
    /// </summary>
    private (int M, int N) SplitPacked(int slivers, int panels, int most)
    {
        int team = threads.Count, blocks = (slivers + most - 1) / most;
        int perThread = (slivers + team - 1) / team;
        bool even = slivers >= 2 * team && (perThread * team) - slivers <= slivers / 40;
        if (team == 1 || even || panels < team)
        {
            return (Math.Min(slivers, (blocks + team - 1) / team * team), 1);
        }

        return (blocks, panels % team == 0 || panels < 4 * team ? team : 2 * team);
    }

    private readonly ref struct ProductCall(CpuMatMul product, ref readonly Gemm gemm) : ISimdCall
    {
        private readonly ref readonly Gemm _gemm = ref gemm;

        public void Run<S, V>()
            where S : ISimd<V>
            where V : struct
        {
            // Twelve rows need the 32 registers that come with 512-bit vectors.
            if (S.Count == Simd512.Count)
            {
                product.Run<S, V, Rows12, Rows6>(_gemm);
            }
            else
            {
                product.Run<S, V, Rows6, Rows6>(_gemm);
            }
        }
    }
}
