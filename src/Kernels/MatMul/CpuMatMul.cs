using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// CPU matrix product in the manner of Goto: B is packed once per K block into panels that stay in L1 one after the other, each thread packs blocks
/// of A that stay in its L2, and a register-blocked micro-kernel walks both.
/// </summary>
internal sealed unsafe class CpuMatMul(CpuThreads threads) : IMatMulKernels, IDisposable
{
    // K block: one B panel (KC x 16 floats) fills at most two thirds of a 32 KiB L1.
    private const int MaxKc = 336;

    // M block: one packed A block (192 x 336 floats, 258 KiB) fills half of a 512 KiB L2.
    private const int MaxMc = 192;

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
        int kc = (gemm.K + kBlocks - 1) / kBlocks;
        int panels = (gemm.N + nr - 1) / nr;

        // Blocks of M, made a multiple of the team so that all threads end together; a short M is split along N instead.
        int mBlocks = (gemm.M + MaxMc - 1) / MaxMc;
        if (gemm.M >= 4 * mr * threads.Count)
        {
            mBlocks = (mBlocks + threads.Count - 1) / threads.Count * threads.Count;
        }

        int mc = ((gemm.M + mBlocks - 1) / mBlocks + mr - 1) / mr * mr;
        mBlocks = (gemm.M + mc - 1) / mc;
        int nBlocks = mBlocks >= threads.Count ? 1 : Math.Min(panels, 2 * threads.Count);

        Grow(ref _packedB, ref _packedBLength, (long)panels * nr * Math.Max(kc, 1));
        Grow(ref _packedA, ref _packedALength, (long)threads.Count * mc * Math.Max(kc, 1));
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
            Mc = mc,
            MBlocks = mBlocks,
            NBlocks = nBlocks,
            Panels = panels,
        };
        int packTiles = Math.Min(panels, Math.Max(1, (int)((long)panels * nr * kc / 16384)));
        a.PackTiles = packTiles;
        for (int batch = 0; batch < gemm.Batch; batch++)
        {
            long shift = batch * gemm.StrideC;
            a.C = gemm.C.Shift(shift).Floats;
            a.PreActivation = gemm.PreActivation.IsNone ? null : gemm.PreActivation.Shift(shift).Floats;
            a.Residual = gemm.Residual.IsNone ? null : gemm.Residual.Shift(shift).Floats;
            a.ActivationGradientOf = gemm.ActivationGradientOf.IsNone ? null : gemm.ActivationGradientOf.Shift(shift).Floats;
            for (int k = 0; k < Math.Max(1, gemm.K); k += Math.Max(1, kc))
            {
                a.Kc = Math.Min(kc, gemm.K - k);
                a.A = gemm.A.Floats + (batch * gemm.StrideA) + (gemm.TransposeA ? (long)k * gemm.Lda : k);
                a.B = gemm.B.Floats + (batch * gemm.StrideB) + (gemm.TransposeB ? k : (long)k * gemm.Ldb);
                a.Add = gemm.Accumulate || k > 0;
                a.Last = k + kc >= gemm.K;

                // A batch that shares B (one weight, many pictures) finds it packed already when one K block holds it all.
                if (batch == 0 || gemm.StrideB != 0 || kBlocks > 1)
                {
                    threads.For(packTiles, &a, &GemmTiles<S, V, R>.PackB);
                }

                threads.For(mBlocks * nBlocks, &a, &GemmTiles<S, V, R>.Block);
            }
        }
    }
}
