using ILGPU;
using Ldvc.Kernels.Gpu;
using Tile = Ldvc.Kernels.Attention.Gpu.GpuAttentionTile;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>First step of the backward: delta, of which the other two subtract a row each.</summary>
internal static class GpuAttentionDelta
{
    /// <summary>Threads of a group, 16 a row.</summary>
    internal const int Threads = Lanes * Rows;

    /// <summary>Shared memory of <see cref="Run"/>.</summary>
    internal const int SharedBytes = Rows * Stride * sizeof(float);

    private const int Rows = AttentionPlan.GpuDeltaRows;
    private const int Lanes = AttentionPlan.GpuColumns / 4;
    private const int Stride = Lanes + 1;

    /// <summary>delta [B, H, Queries] = row sums of dOut * o; a few rows a group, 16 threads a row.</summary>
    internal static void Run(GpuAttentionArguments a)
    {
        var partial = SharedMemory.Allocate<float>(Rows * Stride);
        int tx = Group.IdxX & (Lanes - 1), ty = Group.IdxX / Lanes, row = (Grid.IdxX * Rows) + ty, rows = a.Batch * a.Heads * a.Queries;
        float sum = 0;
        if (row < rows)
        {
            int headIndex = row / a.Queries, query = row - (headIndex * a.Queries);
            int o = Tile.Start(a, a.O, headIndex, 0) + (query * a.O.RowStride);
            int dOut = Tile.Start(a, a.Dout, headIndex, 0) + (query * a.Dout.RowStride);
            if (a.Vector != 0)
            {
                var quadsO = a.O.Data.Cast<Float4>();
                var quadsDout = a.Dout.Data.Cast<Float4>();
                for (int i = 4 * tx; i < a.HeadDim; i += 4 * Lanes)
                {
                    sum = Quad.Dot(sum, quadsO[(o + i) / 4], quadsDout[(dOut + i) / 4]);
                }
            }
            else
            {
                for (int i = tx; i < a.HeadDim; i += Lanes)
                {
                    sum += a.O.Data[o + i] * a.Dout.Data[dOut + i];
                }
            }
        }

        partial[(ty * Stride) + tx] = sum;
        Group.Barrier();
        if (tx == 0 && row < rows)
        {
            float total = 0;
            for (int i = 0; i < Lanes; i++)
            {
                total += partial[(ty * Stride) + i];
            }

            a.Delta[row] = total;
        }
    }
}
