using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention;

/// <summary>Attention of a GPU: on the tensor cores where <see cref="TensorCoreChoice"/> says so and the first-use check has passed.</summary>
internal sealed class CheckedAttention(GpuLauncher launcher, TensorCoreGate gate, IAttentionKernels portable) : IAttentionKernels
{
    /// <summary>What rounding inputs, weights and their gradients to bf16 may change.</summary>
    internal const double Tolerance = 2e-2;

    private readonly TensorCoreAttention _tensorCores = new(launcher);

    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
        Choose(TensorCoreChoice.Takes(launcher.Device, sizes, o)).Forward(sizes, q, k, v, o, logSumExp);

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch) =>
        Choose(TensorCoreChoice.Takes(launcher.Device, sizes, o, dq, dk, dv)).Backward(sizes, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);

    private IAttentionKernels Choose(bool wanted) => wanted && gate.Allows("attention.bf16", Tolerance, Difference) ? _tensorCores : portable;

    private double Difference()
    {
        const int heads = 2, tokens = 90, width = heads * TensorCoreTile.HeadDim;
        var sizes = new AttentionSizes(1, heads, tokens, tokens, TensorCoreTile.HeadDim, 0.125f, true, 0.1f, 7);
        using var problem = new AttentionCheck(launcher.Device, tokens, width, heads);
        return problem.Difference(portable, _tensorCores, (kernels, p) =>
        {
            kernels.Forward(sizes, p.Q, p.K, p.V, p.O, p.LogSumExp);
            kernels.Backward(sizes, p.Q, p.K, p.V, p.O, p.LogSumExp, p.Dout, p.Dq, p.Dk, p.Dv, p.Scratch);
        });
    }
}
