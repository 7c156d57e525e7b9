using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>
/// Lets float32 kernels do products whose operands are stored in bf16: operands are widened into the workspace (exactly), bf16 results are rounded from
/// there. What takes this way is small, or is on a device where a tensor-core kernel has failed its check.
/// </summary>
internal sealed class WidenedMatMul(GpuLauncher launcher, IMatMulKernels portable) : IMatMulKernels
{
    /// <inheritdoc/>
    public void Run(in Gemm gemm) => Run(gemm, inParts: false);

    /// <inheritdoc/>
    public GemmParts RunInParts(in Gemm gemm) => Run(gemm, inParts: true);

    private GemmParts Run(in Gemm gemm, bool inParts)
    {
        if (!gemm.HasStoredBf16)
        {
            return Portable(gemm, inParts);
        }

        Bf16Matrix gradientOf = gemm.LikeC(gemm.ActivationGradientOf);
        Bf16Matrix a = gemm.StoredA, b = gemm.StoredB, c = gemm.LikeC(gemm.C), before = gemm.LikeC(gemm.PreActivation);
        var workspace = launcher.Workspace.Floats(a.WidenedFloats + b.WidenedFloats + c.WidenedFloats + before.WidenedFloats + gradientOf.WidenedFloats);
        long at = 0;
        Bf16Matrix wideA = a.Widened(launcher, workspace, ref at), wideB = b.Widened(launcher, workspace, ref at);
        var wideGradientOf = gradientOf.Widened(launcher, workspace, ref at);
        Bf16Matrix wideC = c.Target(workspace, ref at), wideBefore = before.Target(workspace, ref at);
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
