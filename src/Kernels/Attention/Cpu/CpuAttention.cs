using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>CPU dispatch of attention: cuts the work into tasks.</summary>
internal sealed unsafe class CpuAttention(CpuThreads threads) : IAttentionKernels
{
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        if (sizes.Shared != 0)
        {
            throw new NotSupportedException($"attention: {sizes.Shared} keys that sequences share; on the CPU each sequence has keys of its own");
        }

        var a = new CpuAttentionArguments
        {
            Q = new CpuTokenRows(q),
            K = new CpuTokenRows(k),
            V = new CpuTokenRows(v),
            O = new CpuTokenRows(o),
            LogSumExp = logSumExp.Floats,
            Sizes = sizes,
            TilesPerHead = AttentionPlan.Tiles(sizes.Queries, AttentionPlan.CpuForwardTile),
        };
        int tasks = sizes.Batch * sizes.Heads * a.TilesPerHead;
        SimdDispatch.For<ForwardTile, CpuAttentionArguments>(threads, tasks, &a);
    }

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
        View scratch)
    {
        var a = new CpuAttentionArguments
        {
            Q = new CpuTokenRows(q),
            K = new CpuTokenRows(k),
            V = new CpuTokenRows(v),
            O = new CpuTokenRows(o),
            LogSumExp = logSumExp.Floats,
            Sizes = sizes,
            Dout = new CpuTokenRows(dOut),
            Dq = new CpuTokenRows(dq),
            Dk = new CpuTokenRows(dk),
            Dv = new CpuTokenRows(dv),
            Delta = scratch.Floats,
        };
        SimdDispatch.Run(new BackwardCall(threads, &a));
    }

    private readonly struct ForwardTile : ITileKernel<CpuAttentionArguments>
    {
        public static void Tile<S, V>(CpuAttentionArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuAttentionTasks<S, V>.Forward(a, tile, worker);
    }

    private readonly struct BackwardCall(CpuThreads threads, CpuAttentionArguments* a) : ISimdCall
    {
        public void Run<S, V>()
            where S : ISimd<V>
            where V : struct
        {
            int heads = a->Sizes.Batch * a->Sizes.Heads;
            threads.For(heads, a, &CpuAttentionTasks<S, V>.Delta);
            if (AttentionPlan.WholeHeads(heads, threads.Count))
            {
                threads.For(heads, a, &CpuAttentionTasks<S, V>.BackwardHead);
                return;
            }

            a->TilesPerHead = AttentionPlan.Tiles(a->Sizes.Queries, AttentionPlan.CpuBackwardTile);
            threads.For(heads * a->TilesPerHead, a, &CpuAttentionTasks<S, V>.BackwardQueries);
            a->TilesPerHead = AttentionPlan.Tiles(a->Sizes.Keys, AttentionPlan.CpuBackwardTile);
            threads.For(heads * a->TilesPerHead, a, &CpuAttentionTasks<S, V>.BackwardKeys);
        }
    }
}
