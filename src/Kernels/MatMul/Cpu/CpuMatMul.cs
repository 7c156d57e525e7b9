using System.Runtime.InteropServices;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>
/// CPU matrix product in the manner of Goto. A group of K blocks is met at once: B in panels, packed for all threads unless it is a frozen weight
/// that is kept so; A in slivers of a few rows, read in place, packed only when it is transposed. A panel's K block stays in L1 while the slivers
/// pass it, a block of A stays in L2 while the panels pass it, and a tile of C meets all K blocks of the group before it leaves L1.
/// </summary>
internal sealed unsafe class CpuMatMul(CpuThreads threads) : IMatMulKernels, IDisposable
{
    private readonly Lock _lock = new();
    private float* _packedB;
    private long _packedBLength;
    private float* _scratch;
    private long _scratchLength;

    public GemmParts RunInParts(in Gemm gemm)
    {
        Run(gemm);
        return new GemmParts(gemm.C);
    }

    public void Run(in Gemm gemm)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (!gemm.KeptPanels)
            {
                SimdDispatch.Run(new ProductCall(this, in gemm));
                return;
            }

            // Another thread may want the weight's rows: it waits, or this product finds them.
            lock (gemm.B.Storage)
            {
                int row = gemm.B.Storage.PanelRow;
                if (row != 0 && row != gemm.Ldb)
                {
                    throw new InvalidOperationException($"product: a weight in panels of rows of {row}, expected {gemm.Ldb}");
                }

                var product = gemm with { KeptPanels = row != 0 };
                SimdDispatch.Run(new ProductCall(this, in product));
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            NativeMemory.AlignedFree(_scratch);
            NativeMemory.AlignedFree(_packedB);
            _scratch = null;
            _packedB = null;
            (_scratchLength, _packedBLength) = (0, 0);
        }
    }

    private static void Grow(ref float* buffer, ref long length, long wanted)
    {
        if (length < wanted)
        {
            // Empty first: the allocation may fail, and the next product must find no freed memory.
            NativeMemory.AlignedFree(buffer);
            buffer = null;
            length = 0;
            buffer = (float*)CpuMemory.AllocateScratch(checked(wanted * sizeof(float)), "a matrix product's own operands");
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
        var plan = CpuMatMulPlan.For(gemm, mr, nr, threads.Count);
        int ks = plan.Ks;
        bool kept = plan.KeptPanels, packB = !kept && !plan.PackInBlock;
        if (packB)
        {
            Grow(ref _packedB, ref _packedBLength, (long)plan.Panels * nr * ks);
        }

        long scratchLength = ((plan.PackA ? (long)plan.SliversPerBlock : 1) * mr * ks) + ((long)plan.SliversPerBlock * mr * nr)
            + (plan.PackInBlock ? (long)nr * ks : 0);
        Grow(ref _scratch, ref _scratchLength, threads.Count * scratchLength);
        var a = new GemmArguments
        {
            M = gemm.M,
            N = gemm.N,
            Lda = gemm.Lda,
            Ldb = gemm.Ldb,
            Ldc = gemm.Ldc,
            PackA = plan.PackA,
            PackInBlock = plan.PackInBlock,
            TransposeA = gemm.TransposeA,
            TransposeB = gemm.TransposeB,
            KeptPanels = gemm.KeptPanels,
            Alpha = gemm.Alpha,
            Activation = gemm.Activation,
            Bias = gemm.Bias.Floats,
            Scratch = _scratch,
            PackedB = _packedB,
            Kc = plan.Kc,
            Slivers = plan.Slivers,
            SliversPerBlock = plan.SliversPerBlock,
            ScratchLength = scratchLength,
            MBlocks = plan.RowBlocks,
            NBlocks = plan.ColumnBlocks,
            PanelCount = plan.Panels,
            PackTiles = plan.PackTasks,
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
                if (packB && (batch == 0 || gemm.StrideB != 0 || gemm.K > ks))
                {
                    threads.For(a.PackTiles, &a, &GemmTiles<S, V, R, TLast>.PackB);
                }

                threads.For(plan.RowBlocks * plan.ColumnBlocks, &a, &GemmTiles<S, V, R, TLast>.Block);
            }
        }
    }

    private readonly ref struct ProductCall(CpuMatMul product, ref readonly Gemm gemm) : ISimdCall
    {
        private readonly ref readonly Gemm _gemm = ref gemm;

        public void Run<S, V>()
            where S : ISimd<V>
            where V : struct
        {
            if (CpuMatMulPlan.TakesManyRows(S.Count))
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
