using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>GPU dispatch of matrix products: <see cref="MatMulPlan"/> chooses the kernel.</summary>
internal sealed class GpuMatMul(GpuLauncher launcher) : IMatMulKernels
{
    // By tile (128, 64), access (packed, single), transposed A, transposed B.
    private static readonly GpuKernel<GemmArgs>[] s_kernels =
    [
        .. Tile128<PackedAccess>(".v4"), .. Tile128<SingleAccess>(""), .. Tile64<PackedAccess>(".v4"), .. Tile64<SingleAccess>(""),
    ];

    public void Run(in Gemm gemm)
    {
        var (large, part) = Choose(gemm);
        Run(gemm, large, part);
    }

    public GemmParts RunInParts(in Gemm gemm)
    {
        var (large, part) = Choose(gemm);
        if (part == 0 || gemm.M == 0)
        {
            Run(gemm, large, 0);
            return new GemmParts(gemm.C);
        }

        var parts = SplitK.Parts(launcher, gemm, part);
        Launch(parts, large, part);
        return new GemmParts(parts.C, parts.Batch, parts.StrideC);
    }

    /// <summary>The tile that a product is given, and the steps of its parts; 0 for a whole one.</summary>
    internal (bool Large, int Part) Choose(in Gemm gemm) => MatMulPlan.Tile(gemm, Precision.Fp32, launcher.Multiprocessors);

    /// <summary>Runs a product with a given tile, in parts of so many steps of its sums; 0 for a whole one.</summary>
    internal void Run(in Gemm gemm, bool large, int part)
    {
        if (gemm.M == 0 || gemm.N == 0 || gemm.Batch == 0)
        {
            return;
        }

        if (part > 0)
        {
            var parts = SplitK.Parts(launcher, gemm, part);
            Launch(parts, large, part);
            SplitK.Sum(launcher, gemm, parts);
            return;
        }

        Launch(gemm, large, 0);
    }

    private void Launch(in Gemm gemm, bool large, int part)
    {
        Check(gemm);
        bool packed = GpuSizes.CanPack(
            gemm.A.Offset,
            gemm.Lda,
            gemm.StrideA,
            gemm.TransposeA ? gemm.M : gemm.K,
            gemm.B.Offset,
            gemm.Ldb,
            gemm.StrideB,
            gemm.TransposeB ? gemm.K : gemm.N);
        int edge = large ? MatMulPlan.LargeEdge : MatMulPlan.SmallEdge;
        var kernel = s_kernels[(large ? 0 : 8) + (packed ? 0 : 4) + (gemm.TransposeA ? 2 : 0) + (gemm.TransposeB ? 1 : 0)];
        launcher.Launch(kernel, GpuSizes.Groups(gemm.N, edge), GpuSizes.Groups(gemm.M, edge), gemm.Batch, Args(gemm, part));
    }

    /// <summary>What the kernels get; for a product that is cut, a part's steps.</summary>
    internal static GemmArgs Args(in Gemm gemm, int part = 0)
    {
        var flags = GemmFlags.None;
        var c = gemm.C.GpuFloats;
        ArrayView<float> Optional(View view, GemmFlags flag)
        {
            flags |= view.IsNone ? 0 : flag;
            return view.IsNone ? c : view.GpuFloats;
        }

        var bias = Optional(gemm.Bias, GemmFlags.Bias);
        var before = Optional(gemm.PreActivation, GemmFlags.PreActivation);
        var residual = Optional(gemm.Residual, GemmFlags.Residual);
        var gradient = Optional(gemm.ActivationGradientOf, GemmFlags.ActivationGradient);
        flags |= gemm.Accumulate ? GemmFlags.Accumulate : 0;
        flags |= GpuSizes.CanPack(
            gemm.C.Offset,
            gemm.Ldc,
            gemm.StrideC,
            gemm.N,
            gemm.Bias.Offset,
            gemm.PreActivation.Offset,
            gemm.Residual.Offset,
            gemm.ActivationGradientOf.Offset)
            ? GemmFlags.PackedC : 0;
        return new GemmArgs
        {
            A = gemm.A.GpuFloats,
            B = gemm.B.GpuFloats,
            C = c,
            Bias = bias,
            PreActivation = before,
            Residual = residual,
            ActivationGradientOf = gradient,
            M = gemm.M,
            N = gemm.N,
            K = gemm.K,
            Part = part,
            Lda = gemm.Lda,
            Ldb = gemm.Ldb,
            Ldc = gemm.Ldc,
            StrideA = (int)gemm.StrideA,
            StrideB = (int)gemm.StrideB,
            StrideC = (int)gemm.StrideC,
            Alpha = gemm.Alpha,
            Activation = (int)gemm.Activation,
            Flags = flags,
        };
    }

    private static void Check(in Gemm gemm)
    {
        long Reach(long stride, long rows, long ld, int batch) => (stride * (batch - 1)) + (rows * ld);
        long reach = Math.Max(
            Reach(gemm.StrideA, gemm.TransposeA ? gemm.K : gemm.M, gemm.Lda, gemm.Batch),
            Math.Max(
                Reach(gemm.StrideB, gemm.TransposeB ? gemm.N : gemm.K, gemm.Ldb, gemm.Batch), Reach(gemm.StrideC, gemm.M, gemm.Ldc, gemm.Batch)));
        GpuSizes.Index(reach, s_kernels[0]);
    }

    private static GpuKernel<GemmArgs>[] Tile128<TAccess>(string suffix)
        where TAccess : struct, IMatrixAccess =>
    [
        Define("128.nn" + suffix, GpuGemm128<AlongK<TAccess, Edge128>, AcrossK<TAccess, Edge128>>.Run, MatMulPlan.LargeEdge),
        Define("128.nt" + suffix, GpuGemm128<AlongK<TAccess, Edge128>, AlongK<TAccess, Edge128>>.Run, MatMulPlan.LargeEdge),
        Define("128.tn" + suffix, GpuGemm128<AcrossK<TAccess, Edge128>, AcrossK<TAccess, Edge128>>.Run, MatMulPlan.LargeEdge),
        Define("128.tt" + suffix, GpuGemm128<AcrossK<TAccess, Edge128>, AlongK<TAccess, Edge128>>.Run, MatMulPlan.LargeEdge),
    ];

    private static GpuKernel<GemmArgs>[] Tile64<TAccess>(string suffix)
        where TAccess : struct, IMatrixAccess =>
    [
        Define("64.nn" + suffix, GpuGemm64<AlongK<TAccess, Edge64>, AcrossK<TAccess, Edge64>>.Run, MatMulPlan.SmallEdge),
        Define("64.nt" + suffix, GpuGemm64<AlongK<TAccess, Edge64>, AlongK<TAccess, Edge64>>.Run, MatMulPlan.SmallEdge),
        Define("64.tn" + suffix, GpuGemm64<AcrossK<TAccess, Edge64>, AcrossK<TAccess, Edge64>>.Run, MatMulPlan.SmallEdge),
        Define("64.tt" + suffix, GpuGemm64<AcrossK<TAccess, Edge64>, AlongK<TAccess, Edge64>>.Run, MatMulPlan.SmallEdge),
    ];

    private static GpuKernel<GemmArgs> Define(string name, Action<GemmArgs> method, int edge) => new("matmul." + name, method, MatMulTiles.GpuThreads)
    {
        SharedBytes = 4 * edge * MatMulTiles.GpuDepth * sizeof(float),
        GroupsPerMultiprocessor = MatMulTiles.GpuGroups,
    };
}
