using ILGPU;
using Ldvc.Kernels.Gpu;
using Tile = Ldvc.Kernels.Attention.Gpu.GpuAttentionTile;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>First step of the backward: delta, of which the other two subtract a row each.</summary>
internal static class GpuAttentionDelta
{
    /// <summary>Shared memory of <see cref="Run"/>.</summary>
    internal const int SharedBytes = 8 * 17 * sizeof(float);

    /// <summary>delta [B, H, Queries] = row sums of dOut * o; 8 rows a group of 128, 16 threads a row.</summary>
    internal static void Run(GpuAttentionArguments a)
    {
        var partial = SharedMemory.Allocate<float>(8 * 17);
        int tx = Group.IdxX & 15, ty = Group.IdxX / 16, row = (Grid.IdxX * 8) + ty, rows = a.Batch * a.Heads * a.Queries;
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
                for (int i = 4 * tx; i < a.HeadDim; i += 64)
                {
                    sum = Quad.Dot(sum, quadsO[(o + i) / 4], quadsDout[(dOut + i) / 4]);
                }
            }
            else
            {
                for (int i = tx; i < a.HeadDim; i += 16)
                {
                    sum += a.O.Data[o + i] * a.Dout.Data[dOut + i];
                }
            }
        }

        partial[(ty * 17) + tx] = sum;
        Group.Barrier();
        if (tx == 0 && row < rows)
        {
            float total = 0;
            for (int i = 0; i < 16; i++)
            {
                total += partial[(ty * 17) + i];
            }

            a.Delta[row] = total;
        }
    }
}
