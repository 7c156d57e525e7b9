using ILGPU;
using Ldvc.Kernels.Attention.Gpu;

namespace Ldvc.Kernels.RouteAttention.Gpu;

/// <summary>Arguments of the kernels that build a routing table and its inverse.</summary>
internal readonly struct GpuRouteArguments
{
    internal GpuTokenRows Q { get; init; }

    internal GpuTokenRows K { get; init; }

    /// <summary>Means of q, then means of k, each [B, Windows, Width].</summary>
    internal ArrayView<float> Means { get; init; }

    internal ArrayView<int> Table { get; init; }

    internal ArrayView<int> Offsets { get; init; }

    internal ArrayView<int> List { get; init; }

    internal int Batch { get; init; }

    internal int Width { get; init; }

    internal int GridHeight { get; init; }

    internal int GridWidth { get; init; }

    internal int WindowHeight { get; init; }

    internal int WindowWidth { get; init; }

    internal int WindowColumns { get; init; }

    internal int Windows { get; init; }

    internal int TopK { get; init; }
}

/// <summary>
/// Which windows attend to which (method.md 5, route self-attention steps 1 to 3). Sums run in the CPU's order, and affinities are summed in double
/// precision, so that both devices choose the same windows.
/// </summary>
internal static class GpuRouteTable
{
    /// <summary>Shared memory of <see cref="Choose"/>.</summary>
    internal const int SharedBytes = ((2 * Chunk) + (Threads / Lanes * (Lanes + 1))) * sizeof(double);

    /// <summary>Shared memory of <see cref="Invert"/>.</summary>
    internal const int InvertSharedBytes = 2 * Threads * sizeof(int);

    private const int Threads = RouteAttentionPlan.GpuTableThreads;
    private const int Chunk = RouteAttentionPlan.GpuAffinities;
    private const int Lanes = RouteAttentionPlan.GpuAffinityThreads;
    private const int Ahead = RouteAttentionPlan.GpuAhead;

    /// <summary>Means of q (y = 0) and k (y = 1) over the windows: a thread a column, a group the columns of one window.</summary>
    internal static void Pool(GpuRouteArguments a)
    {
        int groups = (a.Width + Threads - 1) / Threads, part = Grid.IdxX % groups, tile = Grid.IdxX / groups;
        int column = (part * Threads) + Group.IdxX, batch = tile / a.Windows, window = tile - (batch * a.Windows);
        if (column >= a.Width)
        {
            return;
        }

        int top = window / a.WindowColumns * a.WindowHeight, left = window % a.WindowColumns * a.WindowWidth;
        int bottom = top + a.WindowHeight < a.GridHeight ? top + a.WindowHeight : a.GridHeight;
        int right = left + a.WindowWidth < a.GridWidth ? left + a.WindowWidth : a.GridWidth;
        var source = Grid.IdxY == 0 ? a.Q : a.K;
        float sum = 0;
        for (int row = top; row < bottom; row++)
        {
            int at = (batch * source.BatchStride) + (((row * a.GridWidth) + left) * source.RowStride) + column;
            for (int i = left; i < right; i++, at += source.RowStride)
            {
                sum += source.Data[at];
            }
        }

        a.Means[(((Grid.IdxY * a.Batch * a.Windows) + tile) * a.Width) + column] = sum / ((bottom - top) * (right - left));
    }

    /// <summary>
    /// The top windows of one window, a group each. A window's place is the number of windows that beat it: no sorting, and equal affinities go to
    /// the lower index. Affinities are kept in chunks; with more windows than a chunk holds they are computed again for each chunk that they meet.
    /// </summary>
    internal static void Choose(GpuRouteArguments a)
    {
        var own = SharedMemory.Allocate<double>(Chunk);
        var others = SharedMemory.Allocate<double>(Chunk);
        var partial = SharedMemory.Allocate<double>(Threads / Lanes * (Lanes + 1));
        int batch = Grid.IdxX / a.Windows;
        int rank0 = 0, rank1 = 0;
        for (int start = 0; start < a.Windows; start += Chunk)
        {
            Affinities(a, batch, start, partial, own);
            rank0 = 0;
            rank1 = 0;
            int first = Group.IdxX, second = Group.IdxX + Threads;
            for (int other = 0; other < a.Windows; other += Chunk)
            {
                if (other == start)
                {
                    others[first] = own[first];
                    others[second] = own[second];
                    Group.Barrier();
                }
                else
                {
                    Affinities(a, batch, other, partial, others);
                }

                rank0 += Beaten(own[first], start + first, others, other, a.Windows);
                rank1 += Beaten(own[second], start + second, others, other, a.Windows);
                Group.Barrier();
            }

            Store(a, start + first, rank0);
            Store(a, start + second, rank1);
        }
    }

    /// <summary>
    /// The inverse list: a group a window. Each thread reads its share of the table, counts the entries of lower windows (all of them are where the
    /// list starts) and of this one, and writes its choosers behind those of the threads before it, so the list is in the order of the table, which
    /// is ascending.
    /// </summary>
    internal static void Invert(GpuRouteArguments a)
    {
        var lower = SharedMemory.Allocate<int>(Threads);
        var equal = SharedMemory.Allocate<int>(Threads);
        int batch = Grid.IdxX / a.Windows, window = Grid.IdxX - (batch * a.Windows), thread = Group.IdxX;
        int entries = a.Windows * a.TopK, table = batch * entries, each = (entries + Threads - 1) / Threads;
        int begin = thread * each, end = begin + each < entries ? begin + each : entries, below = 0, own = 0;
        for (int i = begin; i < end; i++)
        {
            int chosen = a.Table[table + i];
            below += chosen < window ? 1 : 0;
            own += chosen == window ? 1 : 0;
        }

        lower[thread] = below;
        equal[thread] = own;
        Group.Barrier();
        int start = 0, before = 0;
        for (int i = 0; i < Threads; i++)
        {
            start += lower[i];
            before += i < thread ? equal[i] : 0;
        }

        int offsets = batch * (a.Windows + 1), at = table + start + before;
        for (int i = begin; i < end; i++)
        {
            if (a.Table[table + i] == window)
            {
                a.List[at] = i / a.TopK;
                at++;
            }
        }

        if (thread == 0)
        {
            a.Offsets[offsets + window] = start;
            if (window == a.Windows - 1)
            {
                a.Offsets[offsets + a.Windows] = entries;
            }
        }
    }

    // Affinities of the group's window with windows start .. start + Chunk - 1: 16 threads a product, eight products at a time.
    private static void Affinities(GpuRouteArguments a, int batch, int start, ArrayView<double> partial, ArrayView<double> affinities)
    {
        int lane = Group.IdxX & (Lanes - 1), row = Group.IdxX / Lanes;
        int query = Grid.IdxX * a.Width, keys = (a.Batch + batch) * a.Windows * a.Width;
        int end = a.Windows - start < Chunk ? a.Windows - start : Chunk;
        for (int first = 0; first < end; first += Threads / Lanes)
        {
            double sum = 0;
            if (first + row < end)
            {
                int key = keys + ((start + first + row) * a.Width);
                int i = lane;
                for (; i + ((Ahead - 1) * Lanes) < a.Width; i += Ahead * Lanes)
                {
                    float q0 = a.Means[query + i], q1 = a.Means[query + i + Lanes], q2 = a.Means[query + i + (2 * Lanes)],
                        q3 = a.Means[query + i + (3 * Lanes)];
                    float k0 = a.Means[key + i], k1 = a.Means[key + i + Lanes], k2 = a.Means[key + i + (2 * Lanes)],
                        k3 = a.Means[key + i + (3 * Lanes)];
                    sum += (double)q0 * k0;
                    sum += (double)q1 * k1;
                    sum += (double)q2 * k2;
                    sum += (double)q3 * k3;
                }

                for (; i < a.Width; i += Lanes)
                {
                    sum += (double)a.Means[query + i] * a.Means[key + i];
                }
            }

            partial[(row * (Lanes + 1)) + lane] = sum;
            Group.Barrier();
            if (lane == 0)
            {
                double total = 0;
                for (int i = 0; i < Lanes; i++)
                {
                    total += partial[(row * (Lanes + 1)) + i];
                }

                // A diverged model must not lead to missing entries: NaN loses against everything.
                affinities[first + row] = total >= double.MinValue ? total : double.NegativeInfinity;
            }

            Group.Barrier();
        }
    }

    private static int Beaten(double affinity, int window, ArrayView<double> others, int start, int windows)
    {
        int end = windows - start < Chunk ? windows - start : Chunk, count = 0;
        for (int i = 0; i < end; i++)
        {
            count += others[i] > affinity || (others[i] == affinity && start + i < window) ? 1 : 0;
        }

        return count;
    }

    private static void Store(GpuRouteArguments a, int window, int rank)
    {
        if (window < a.Windows && rank < a.TopK)
        {
            a.Table[(Grid.IdxX * a.TopK) + rank] = window;
        }
    }
}
