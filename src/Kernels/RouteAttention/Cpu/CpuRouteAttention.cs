using System.Runtime.Intrinsics;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention.Cpu;

/// <summary>CPU dispatch of route attention: cuts the work into tasks.</summary>
internal sealed unsafe class CpuRouteAttention(CpuThreads threads) : IRouteAttentionKernels
{
    public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch)
    {
        var a = new CpuRouteTableArguments
        {
            Q = new CpuTokenRows(q),
            K = new CpuTokenRows(k),
            Sizes = sizes,
            Means = scratch.Floats,
            Table = table.Ints
        };
        int tasks = sizes.Batch * sizes.Windows;
        SimdDispatch.For<PoolWindow, CpuRouteTableArguments>(threads, tasks, &a);

        threads.For(tasks, &a, &CpuRouteTable<Simd128, Vector128<float>>.Choose);
    }

    public void Invert(in RouteSizes sizes, View table, View offsets, View list)
    {
        var a = new CpuRouteTableArguments { Sizes = sizes, Table = table.Ints, Offsets = offsets.Ints, List = list.Ints };
        threads.For(sizes.Batch, &a, &CpuRouteTable<Simd128, Vector128<float>>.Invert);
    }

    public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var a = Arguments(sizes, table, q, k, v, o, logSumExp);
        a.TilesPerWindow = AttentionPlan.Tiles(sizes.WindowHeight * sizes.WindowWidth, AttentionPlan.CpuForwardTile);
        int tasks = sizes.Batch * sizes.Heads * sizes.Windows * a.TilesPerWindow;
        SimdDispatch.For<ForwardTile, CpuRouteArguments>(threads, tasks, &a);
    }

    public void Backward(
        in RouteSizes sizes,
        View table,
        View offsets,
        View list,
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
        var a = Arguments(sizes, table, q, k, v, o, logSumExp);
        a.Offsets = offsets.Ints;
        a.List = list.Ints;
        a.Attention.Dout = new CpuTokenRows(dOut);
        a.Attention.Dq = new CpuTokenRows(dq);
        a.Attention.Dk = new CpuTokenRows(dk);
        a.Attention.Dv = new CpuTokenRows(dv);
        a.Attention.Delta = scratch.Floats;
        SimdDispatch.Run(new BackwardCall(threads, &a));
    }

    private static CpuRouteArguments Arguments(
        in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp) => new()
        {
            Attention = new CpuAttentionArguments
            {
                Q = new CpuTokenRows(q),
                K = new CpuTokenRows(k),
                V = new CpuTokenRows(v),
                O = new CpuTokenRows(o),
                LogSumExp = logSumExp.Floats,
                Sizes = new AttentionSizes(sizes.Batch, sizes.Heads, sizes.Tokens, sizes.Tokens, sizes.HeadDim, sizes.Scale, false, 0f, 0),
            },
            Sizes = sizes,
            Table = table.Ints,
        };

    private readonly struct PoolWindow : ITileKernel<CpuRouteTableArguments>
    {
        public static void Tile<S, V>(CpuRouteTableArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuRouteTable<S, V>.Pool(a, tile, worker);
    }

    private readonly struct ForwardTile : ITileKernel<CpuRouteArguments>
    {
        public static void Tile<S, V>(CpuRouteArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuRouteTasks<S, V>.Forward(a, tile, worker);
    }

    private readonly struct BackwardCall(CpuThreads threads, CpuRouteArguments* a) : ISimdCall
    {
        public void Run<S, V>()
            where S : ISimd<V>
            where V : struct
        {
            int heads = a->Sizes.Batch * a->Sizes.Heads;
            threads.For(heads, &a->Attention, &CpuAttentionTasks<S, V>.Delta);
            if (AttentionPlan.WholeHeads(heads, threads.Count))
            {
                threads.For(heads, a, &CpuRouteTasks<S, V>.BackwardHead);
                return;
            }

            a->TilesPerWindow = AttentionPlan.Tiles(a->Sizes.WindowHeight * a->Sizes.WindowWidth, AttentionPlan.CpuBackwardTile);
            int tasks = heads * a->Sizes.Windows * a->TilesPerWindow;
            threads.For(tasks, a, &CpuRouteTasks<S, V>.BackwardQueries);
            threads.For(tasks, a, &CpuRouteTasks<S, V>.BackwardKeys);
        }
    }
}
