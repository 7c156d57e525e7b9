using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>
/// Lets float32 kernels do products whose operands are stored in 16 bits: operands are widened into the workspace (exactly), results of 16 bits are
/// rounded from there. What takes this way is small, or is on a device where a tensor-core kernel has failed its check.
/// </summary>
internal sealed class WidenedMatMul(GpuLauncher launcher, IMatMulKernels portable) : IMatMulKernels
{
    /// <inheritdoc/>
    public void Run(in Gemm gemm) => Run(gemm, inParts: false);

    /// <inheritdoc/>
    public GemmParts RunInParts(in Gemm gemm) => Run(gemm, inParts: true);

    private GemmParts Run(in Gemm gemm, bool inParts)
    {
        if (gemm.HalfType is null)
        {
            return Portable(gemm, inParts);
        }

        HalfMatrix gradientOf = gemm.LikeC(gemm.ActivationGradientOf);
        HalfMatrix a = gemm.StoredA, b = gemm.StoredB, c = gemm.LikeC(gemm.C) with { Scale = gemm.GradientScale },
            before = gemm.LikeC(gemm.PreActivation);
        var workspace = launcher.Workspace.Floats(
            a.WidenedFloats + b.WidenedFloats + c.WidenedFloats + before.WidenedFloats + gradientOf.WidenedFloats);
        long at = 0;
        HalfMatrix wideA = a.Widened(launcher, workspace, ref at), wideB = b.Widened(launcher, workspace, ref at);
        var wideGradientOf = gradientOf.Widened(launcher, workspace, ref at);
        HalfMatrix wideC = c.Target(workspace, ref at), wideBefore = before.Target(workspace, ref at);
        var done = Portable(
            gemm with
            {
                A = wideA.Data,
                Lda = wideA.Row,
                StrideA = wideA.Stride,
                B = wideB.Data,
                Ldb = wideB.Row,
                StrideB = wideB.Stride,
                C = wideC.Data,
                PreActivation = wideBefore.Data,
                ActivationGradientOf = wideGradientOf.Data,
                GradientScale = default,
            },
            inParts);
        c.Narrow(launcher, wideC);
        before.Narrow(launcher, wideBefore);
        return done;
    }

    private GemmParts Portable(in Gemm gemm, bool inParts)
    {
        if (inParts)
        {
            return portable.RunInParts(gemm);
        }

        portable.Run(gemm);
        return default;
    }
}
