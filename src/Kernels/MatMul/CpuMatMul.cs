using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// CPU matrix product in the manner of Goto. A group of K blocks is packed at once: B into panels for all threads, A by each thread into slivers that
/// stay in its L2. A panel's K block stays in L1 while the slivers pass it, and a tile of C meets all K blocks of the group before it leaves L1.
/// </summary>
internal sealed unsafe class CpuMatMul(CpuThreads threads) : IMatMulKernels, IDisposable
{
    // K block: one block of a B panel (256 x 32 floats) is 32 KiB, the L1 of most machines; narrower vectors take half or a quarter.
    private const int MaxKc = 256;

    // K blocks of a group: C is read and written once a group.
    private const int MaxGroup = 4;

    // Floats of one thread's packed A: 384 KiB, beside which B's panels still pass through a 1 MiB L2.
    private const int MaxPackedA = 98304;

    private readonly Lock _lock = new();
    private float* _packedB;
    private long _packedBLength;
    private float* _packedA;
    private long _packedALength;

    public void Run(in Gemm gemm)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        lock (_lock)
        {
            switch (SimdLevel.Bits)
            {
                case 512: Run<Simd512, Vector512<float>, Rows12>(gemm); break;
                case 256: Run<Simd256, Vector256<float>, Rows6>(gemm); break;
                default: Run<Simd128, Vector128<float>, Rows6>(gemm); break;
            }
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_packedA);
        NativeMemory.AlignedFree(_packedB);
        _packedA = null;
        _packedB = null;
    }

    private static void Grow(ref float* buffer, ref long length, long wanted)
    {
        if (length < wanted)
        {
            NativeMemory.AlignedFree(buffer);
            buffer = (float*)NativeMemory.AlignedAlloc((nuint)(wanted * sizeof(float)), 64);
            length = wanted;
        }
    }

    private void Run<S, V, R>(in Gemm gemm)
        where S : ISimd<V>
        where V : struct
        where R : IRowBlock
    {
        int mr = R.Rows, nr = 2 * S.Count;
        int kBlocks = Math.Max(1, (gemm.K + MaxKc - 1) / MaxKc);
        int kc = Math.Max(1, (gemm.K + kBlocks - 1) / kBlocks);
        int ks = kc * Math.Min(kBlocks, MaxGroup);
        int panels = (gemm.N + nr - 1) / nr, slivers = (gemm.M + mr - 1) / mr;
        var (mBlocks, nBlocks) = Split(slivers, panels, Math.Max(1, MaxPackedA / (ks * mr)));
        int sliversPerBlock = (slivers + mBlocks - 1) / mBlocks;

        Grow(ref _packedB, ref _packedBLength, (long)panels * nr * ks);
        // Behind its packed A, each thread has the tiles of C that it works on.
        long packedALength = (long)sliversPerBlock * mr * (ks + nr);
        Grow(ref _packedA, ref _packedALength, threads.Count * packedALength);
        var a = new GemmArguments
        {
            M = gemm.M,
            N = gemm.N,
            Lda = gemm.Lda,
            Ldb = gemm.Ldb,
            Ldc = gemm.Ldc,
            TransposeA = gemm.TransposeA,
            TransposeB = gemm.TransposeB,
            Alpha = gemm.Alpha,
            Activation = gemm.Activation,
            Bias = gemm.Bias.Floats,
            PackedA = _packedA,
            PackedB = _packedB,
            Kc = kc,
            Slivers = slivers,
            SliversPerBlock = sliversPerBlock,
            PackedALength = packedALength,
            MBlocks = mBlocks,
            NBlocks = nBlocks,
            Panels = panels,
        };
        int packTiles = Math.Min(panels, Math.Max(1, (int)((long)panels * nr * ks / 16384)));
        a.PackTiles = packTiles;
        for (int batch = 0; batch < gemm.Batch; batch++)
        {
            long shift = batch * gemm.StrideC;
            a.C = gemm.C.Shift(shift).Floats;
            a.PreActivation = gemm.PreActivation.IsNone ? null : gemm.PreActivation.Shift(shift).Floats;
            a.Residual = gemm.Residual.IsNone ? null : gemm.Residual.Shift(shift).Floats;
            a.ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? null : gemm.ActivationGradientOf.Shift(shift).Floats;
            for (int k = 0; k < Math.Max(1, gemm.K); k += ks)
            {
                a.Ks = Math.Min(ks, gemm.K - k);
                a.A = gemm.A.Floats + (batch * gemm.StrideA) + (gemm.TransposeA ? (long)k * gemm.Lda : k);
                a.B = gemm.B.Floats + (batch * gemm.StrideB) + (gemm.TransposeB ? k : (long)k * gemm.Ldb);
                a.Add = gemm.Accumulate || k > 0;
                a.Last = k + ks >= gemm.K;

                // A batch that shares B (one weight, many pictures) finds it packed already when one group holds it all.
                if (batch == 0 || gemm.StrideB != 0 || gemm.K > ks)
                {
                    threads.For(packTiles, &a, &GemmTiles<S, V, R>.PackB);
                }

                threads.For(mBlocks * nBlocks, &a, &GemmTiles<S, V, R>.Block);
            }
        }
    }

    /// <summary>
    /// How to share the tiles out: by rows, in a multiple of the team so that all threads end together; by columns too when the rows are too few or do
    /// not come out even (each column block packs A again). No sum depends on it.
    /// </summary>
    private (int M, int N) Split(int slivers, int panels, int most)
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
}
