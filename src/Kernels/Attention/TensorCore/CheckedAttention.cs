using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>Attention of a GPU: on the tensor cores where <see cref="AttentionPlan"/> says so and the first-use check has passed.</summary>
/// <param name="launcher">Where kernels are queued.</param>
/// <param name="gate">The first-use check.</param>
/// <param name="portable">The portable kernels.</param>
/// <param name="tensorCores">The kernels for tensor cores, for both kinds of numbers; others than the real ones in tests.</param>
internal sealed class CheckedAttention(
    GpuLauncher launcher, TensorCoreGate gate, IAttentionKernels portable, IAttentionKernels? tensorCores = null) : IAttentionKernels
{
    /// <summary>What rounding inputs, weights and their gradients to bf16 may change; fp16 changes less.</summary>
    internal const double Tolerance = 2e-2;

    // The problem of the check: partial tiles, and dropout.
    private const int Heads = 2;
    private const int Tokens = 90;

    private readonly WidenedAttention _portable = new(launcher, portable);

    private readonly IAttentionKernels _bf16 = tensorCores ?? new TensorCoreAttention(launcher);
    private readonly IAttentionKernels _fp16 = tensorCores ?? new TensorCoreAttention(launcher, DType.Float16);

    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) =>
        Choose(AttentionPlan.TakesTensorCores(launcher.Device.Precision, sizes, o)).Forward(sizes, q, k, v, o, logSumExp);

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes,
        TokenRows q,
        TokenRows k,
        TokenRows v,
        TokenRows o,
        View logSumExp,
        TokenRows dOut,
        TokenRows dq,
        TokenRows dk,
        TokenRows dv,
        View scratch) =>
        Choose(AttentionPlan.TakesTensorCores(launcher.Device.Precision, sizes, o, dq, dk, dv)).Backward(
            sizes, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);

    private IAttentionKernels Choose(bool wanted)
    {
        if (!wanted)
        {
            return _portable;
        }

        var precision = launcher.Device.Precision;
        var kernels = precision == Precision.Fp16 ? _fp16 : _bf16;
        string name = precision == Precision.Fp16 ? "attention.fp16" : "attention.bf16";
        return gate.Allows(name, $"{Tokens} causal tokens, {Heads} heads of 64, dropout", Tolerance, () => Difference(kernels)) ? kernels : _portable;
    }

    private double Difference(IAttentionKernels tensorCores)
    {
        const int width = Heads * TensorCoreTile.HeadDim;
        var sizes = new AttentionSizes(1, Heads, Tokens, Tokens, TensorCoreTile.HeadDim, 0.125f, true, 0.1f, 7);
        using var problem = new AttentionCheck(launcher.Device, Tokens, width, Heads);
        return problem.Difference(portable, tensorCores, (kernels, p) =>
        {
            kernels.Forward(sizes, p.Q, p.K, p.V, p.O, p.LogSumExp);
            kernels.Backward(sizes, p.Q, p.K, p.V, p.O, p.LogSumExp, p.Dout, p.Dq, p.Dk, p.Dv, p.Scratch);
        });
    }
}
