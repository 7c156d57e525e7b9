using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention;

/// <summary>CPU dispatch of attention: picks the vector width and how the work is cut into tasks.</summary>
internal sealed unsafe class CpuAttention(CpuThreads threads) : IAttentionKernels
{
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var a = new CpuAttentionArguments
        {
            Q = new CpuTokenRows(q),
            K = new CpuTokenRows(k),
            V = new CpuTokenRows(v),
            O = new CpuTokenRows(o),
            LogSumExp = logSumExp.Floats,
            Sizes = sizes,
            TilesPerHead = Tiles(sizes.Queries, CpuAttentionTasks<Simd128, Vector128<float>>.ForwardTile),
        };
        int tasks = sizes.Batch * sizes.Heads * a.TilesPerHead;
        SimdDispatch.For<ForwardTile, CpuAttentionArguments>(threads, tasks, &a);
    }

    public void Backward(
        in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch)
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

    /// <summary>
    /// Whether a backward takes one task a head, which needs 5 products of each pair of tiles, rather than tiles of queries and of keys on their
    /// own, which need 7 but keep more threads busy. Both add the same numbers in the same order, so the choice does not show in the results.
    /// </summary>
    internal static bool WholeHeads(int heads, int threads) => 5L * Tiles(heads, threads) * threads <= 7L * heads;

    private static int Tiles(int rows, int tile) => (rows + tile - 1) / tile;

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
            if (WholeHeads(heads, threads.Count))
            {
                threads.For(heads, a, &CpuAttentionTasks<S, V>.BackwardHead);
                return;
            }

            a->TilesPerHead = Tiles(a->Sizes.Queries, CpuAttentionTasks<S, V>.BackwardTile);
            threads.For(heads * a->TilesPerHead, a, &CpuAttentionTasks<S, V>.BackwardQueries);
            a->TilesPerHead = Tiles(a->Sizes.Keys, CpuAttentionTasks<S, V>.BackwardTile);
            threads.For(heads * a->TilesPerHead, a, &CpuAttentionTasks<S, V>.BackwardKeys);
        }
    }
}
