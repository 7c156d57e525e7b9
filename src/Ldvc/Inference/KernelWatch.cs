using System.Runtime.InteropServices;
using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>The windows that route attention chose in one call: table [B, Windows, TopK].</summary>
internal sealed record RouteTable(RouteSizes Sizes, int[] Chosen);

/// <summary>
/// Watches the forward passes of a device while it lives: counts the multiply-adds of matrix products and attentions, and keeps the windows that
/// route attention chooses. Only tapes made in that time are watched. What is counted is what is run, so no formula can be out of date; element-wise
/// work, norms and softmax are not counted, as usual.
/// </summary>
internal sealed class KernelWatch : IDisposable
{
    private readonly Device _device;
    private readonly KernelSet _kernels;
    private readonly List<RouteTable> _routes = [];

    internal KernelWatch(Device device)
    {
        (_device, _kernels) = (device, KernelSet.For(device));
        device.Kernels = new KernelSet
        {
            MatMul = new WatchedMatMul(this, _kernels.MatMul),
            Attention = new WatchedAttention(this, _kernels.Attention),
            RouteAttention = new WatchedRouteAttention(this, _kernels.RouteAttention),
            Normalization = _kernels.Normalization,
            Elementwise = _kernels.Elementwise,
            Tokens = _kernels.Tokens,
            Resample = _kernels.Resample,
            MaskLoss = _kernels.MaskLoss,
            CrossEntropy = _kernels.CrossEntropy,
            Segmentation = _kernels.Segmentation,
            Reduction = _kernels.Reduction,
            Optimizer = _kernels.Optimizer,
            Softmax = _kernels.Softmax,
            Indexing = _kernels.Indexing,
            Launcher = _kernels.Launcher,
        };
    }

    /// <summary>Multiply-adds so far. A backward's attentions are not in it: it is meant for inference.</summary>
    internal long MultiplyAdds { get; private set; }

    /// <summary>Route attention's choices, in the order of the calls.</summary>
    internal IReadOnlyList<RouteTable> Routes => _routes;

    /// <summary>Gives the device its own kernels back.</summary>
    public void Dispose() => _device.Kernels = _kernels;

    private int[] Read(View table, int count)
    {
        var values = new int[count];
        _device.Download(table.Storage, table.Offset * sizeof(int), MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private sealed class WatchedMatMul(KernelWatch watch, IMatMulKernels inner) : IMatMulKernels
    {
        public void Run(in Gemm gemm)
        {
            watch.MultiplyAdds += (long)gemm.Batch * gemm.M * gemm.N * gemm.K;
            inner.Run(gemm);
        }

        public GemmParts RunInParts(in Gemm gemm)
        {
            watch.MultiplyAdds += (long)gemm.Batch * gemm.M * gemm.N * gemm.K;
            return inner.RunInParts(gemm);
        }
    }

    private sealed class WatchedAttention(KernelWatch watch, IAttentionKernels inner) : IAttentionKernels
    {
        public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
        {
            // Scores and weighted sum: two products per (query, key) pair.
            // Under a causal mask a query sees its sequence up to itself, and what sequences share.
            long each = sizes.Each > 0 ? sizes.Each : sizes.Queries;
            long pairs = sizes.Causal
                ? ((long)sizes.Queries * (each + 1) / 2) + ((long)sizes.Queries * sizes.Shared)
                : (long)sizes.Queries * sizes.Keys;
            watch.MultiplyAdds += 2 * pairs * sizes.Batch * sizes.Heads * sizes.HeadDim;
            inner.Forward(sizes, q, k, v, o, logSumExp);
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
            View scratch) =>
            inner.Backward(sizes, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);
    }

    private sealed class WatchedRouteAttention(KernelWatch watch, IRouteAttentionKernels inner) : IRouteAttentionKernels
    {
        public void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch)
        {
            inner.Route(sizes, q, k, table, scratch);
            watch.MultiplyAdds += (long)sizes.Batch * sizes.Windows * sizes.Windows * sizes.Heads * sizes.HeadDim;
            watch._routes.Add(new RouteTable(sizes, watch.Read(table, sizes.Batch * sizes.Windows * sizes.TopK)));
        }

        public void Invert(in RouteSizes sizes, View table, View offsets, View list) => inner.Invert(sizes, table, offsets, list);

        public void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
        {
            int[] chosen = watch.Read(table, sizes.Batch * sizes.Windows * sizes.TopK);
            long pairs = 0;
            for (int i = 0; i < chosen.Length; i++)
            {
                pairs += RouteWindows.Tokens(sizes, i / sizes.TopK % sizes.Windows) * RouteWindows.Tokens(sizes, chosen[i]);
            }

            watch.MultiplyAdds += 2 * pairs * sizes.Heads * sizes.HeadDim;
            inner.Forward(sizes, table, q, k, v, o, logSumExp);
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
            View scratch) =>
            inner.Backward(sizes, table, offsets, list, q, k, v, o, logSumExp, dOut, dq, dk, dv, scratch);
    }
}
