using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>The three tiled kernels of an attention for one number of rows a tile, with the shared memory that they declare.</summary>
internal sealed class GpuAttentionKernelSet
{
    internal GpuAttentionKernelSet(
        string family, int rows, Action<GpuAttentionArguments> forward, Action<GpuAttentionArguments> queries, Action<GpuAttentionArguments> keys)
    {
        // Tiles of 64 columns, weights [walk][rows], numbers of own and walked tokens (two tiles of them).
        const int Quad = 16, Walk = GpuAttentionTile.Walk * GpuAttentionTile.Stride * Quad;
        int own = rows * GpuAttentionTile.Stride * Quad, weights = GpuAttentionTile.Walk * ((rows / 4) + 1) * Quad;
        int tokens = (rows + (2 * GpuAttentionTile.Walk)) * sizeof(int), partial = rows * 4 * Quad;
        Rows = rows;
        Forward = new GpuKernel<GpuAttentionArguments>(
            $"{family}.forward.{rows}", forward, AttentionPlan.GpuThreadsPerRow * rows)
        { SharedBytes = own + (2 * Walk) + weights + partial + tokens };
        Queries = new GpuKernel<GpuAttentionArguments>(
            $"{family}.dq.{rows}", queries, AttentionPlan.GpuThreadsPerRow * rows)
        { SharedBytes = (2 * own) + (2 * Walk) + weights + tokens };
        Keys = new GpuKernel<GpuAttentionArguments>(
            $"{family}.dkdv.{rows}", keys, AttentionPlan.GpuThreadsPerRow * rows)
        { SharedBytes = (2 * own) + (2 * Walk) + (2 * weights) + tokens };
    }

    /// <summary>Own tokens of a tile.</summary>
    internal int Rows { get; }

    internal GpuKernel<GpuAttentionArguments> Forward { get; }

    internal GpuKernel<GpuAttentionArguments> Queries { get; }

    internal GpuKernel<GpuAttentionArguments> Keys { get; }

    internal IEnumerable<GpuKernel> All => [Forward, Queries, Keys];
}
