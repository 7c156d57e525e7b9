using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>What an attention on the tensor cores consists of.</summary>
internal enum AttentionStep
{
    /// <summary>o and the log-sum-exps.</summary>
    Forward,

    /// <summary>Row sums of dOut * o.</summary>
    Delta,

    /// <summary>dq.</summary>
    Queries,

    /// <summary>dk and dv.</summary>
    Keys,
}

/// <summary>The compiled forms of attention: two kinds of numbers, results stored in float32 or as such numbers.</summary>
internal static class TensorCoreAttentionKernels
{
    private static readonly GpuKernel<TensorCoreAttentionArguments>[] s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    /// <summary>
    /// A step's kernel for a type of 16 bits; stored says whether o (forward and delta) or the gradients (queries and keys) are of that type too.
    /// </summary>
    internal static GpuKernel<TensorCoreAttentionArguments> Get(DType half, AttentionStep step, bool stored = false) =>
        (half == DType.Float16 ? s_fp16 : s_bf16)[(2 * (int)step) + (stored ? 1 : 0)];

    // In the order of the steps.
    private static GpuKernel<TensorCoreAttentionArguments>[] Define<TFormat>()
        where TFormat : struct, IHalfFormat =>
    [
        One<TFormat>("forward", TensorCoreAttentionForward.Run<FloatOutput, TFormat>),
        One<TFormat>("forward" + HalfOutput.Suffix, TensorCoreAttentionForward.Run<HalfOutput, TFormat>),
        TensorCoreAttentionDelta.Define<FloatOutput, TFormat>(),
        TensorCoreAttentionDelta.Define<HalfOutput, TFormat>(),
        One<TFormat>("queries", TensorCoreAttentionBackward.Queries<FloatOutput, TFormat>),
        One<TFormat>("queries" + HalfOutput.Suffix, TensorCoreAttentionBackward.Queries<HalfOutput, TFormat>),
        One<TFormat>("keys", TensorCoreAttentionBackward.Keys<FloatOutput, TFormat>),
        One<TFormat>("keys" + HalfOutput.Suffix, TensorCoreAttentionBackward.Keys<HalfOutput, TFormat>),
    ];

    private static GpuKernel<TensorCoreAttentionArguments> One<TFormat>(string name, Action<TensorCoreAttentionArguments> method)
        where TFormat : struct, IHalfFormat => new($"attention.{TFormat.Name}_{name}", method, TensorCoreAttentionForward.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreAttentionForward.SharedChunks * 16,
            GroupsPerMultiprocessor = AttentionPlan.TensorCoreGroups,
        };
}
