using System.Runtime.CompilerServices;
using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Cpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.RouteAttention.Cpu;

internal unsafe struct CpuRouteTableArguments
{
    public CpuTokenRows Q;
    public CpuTokenRows K;
    public RouteSizes Sizes;

    /// <summary>Means of q, then means of k, each [B, Windows, width].</summary>
    public float* Means;
    public int* Table;
    public int* Offsets;
    public int* List;

    public readonly int Width => Sizes.Heads * Sizes.HeadDim;
}

/// <summary>
/// Which windows attend to which (method.md 5, route self-attention steps 1 to 3). Sums run in an order that no vector width changes, and the
/// affinity is summed in double precision, so the table is the same on every machine.
/// </summary>
internal static unsafe class CpuRouteTable<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>Means of q and k over one window of one picture.</summary>
    [SkipLocalsInit]
    internal static void Pool(CpuRouteTableArguments* a, int tile, int worker)
    {
        int batch = tile / a->Sizes.Windows, window = tile % a->Sizes.Windows, width = a->Width;
        Mean(&a->Sizes, window, a->Q.Head(batch, 0, 0), width, a->Means + ((long)tile * width));
        Mean(&a->Sizes, window, a->K.Head(batch, 0, 0), width, a->Means + (((long)(a->Sizes.Batch * a->Sizes.Windows) + tile) * width));
    }

    /// <summary>The top windows of one window of one picture, by insertion: an equal affinity stays behind the lower index that came first.</summary>
    [SkipLocalsInit]
    internal static void Choose(CpuRouteTableArguments* a, int tile, int worker)
    {
        int windows = a->Sizes.Windows, batch = tile / windows, width = a->Width, top = a->Sizes.TopK;
        long floats = CpuScratch.Piece(2L * top) + 16;
        float* memory = stackalloc float[floats <= AttentionPlan.CpuStackFloats ? (int)floats : 1];
        var scratch = new CpuScratch(floats <= AttentionPlan.CpuStackFloats ? memory : null, floats);
        double* best = (double*)scratch.Take(2L * top);
        int* chosen = a->Table + ((long)tile * top);
        float* query = a->Means + ((long)tile * width);
        float* keys = a->Means + ((long)(a->Sizes.Batch + batch) * windows * width);
        int count = 0;
        for (int window = 0; window < windows; window++)
        {
            double affinity = Dot(query, keys + ((long)window * width), width);
            affinity = double.IsNaN(affinity) ? double.NegativeInfinity : affinity;
            if (count == top && affinity <= best[count - 1])
            {
                continue;
            }

            int at = count < top ? count++ : top - 1;
            for (; at > 0 && affinity > best[at - 1]; at--)
            {
                best[at] = best[at - 1];
                chosen[at] = chosen[at - 1];
            }

            best[at] = affinity;
            chosen[at] = window;
        }

        scratch.Free();
    }

    /// <summary>The inverse list of one picture: a counting sort of the table's entries, query windows ascending.</summary>
    internal static void Invert(CpuRouteTableArguments* a, int batch, int worker)
    {
        int windows = a->Sizes.Windows, top = a->Sizes.TopK, entries = windows * top;
        int* table = a->Table + ((long)batch * entries);
        int* list = a->List + ((long)batch * entries);
        int* offsets = a->Offsets + ((long)batch * (windows + 1));
        new Span<int>(offsets, windows + 1).Clear();
        for (int i = 0; i < entries; i++)
        {
            offsets[table[i] + 1]++;
        }

        for (int window = 0; window < windows; window++)
        {
            offsets[window + 1] += offsets[window];
        }

        // Filling moves each start to the next one's place; afterwards everything moves back by one.
        for (int i = 0; i < entries; i++)
        {
            list[offsets[table[i]]++] = i / top;
        }

        for (int window = windows; window > 0; window--)
        {
            offsets[window] = offsets[window - 1];
        }

        offsets[0] = 0;
    }

    private static void Mean(RouteSizes* sizes, int window, CpuHeadRows source, int width, float* mean)
    {
        const int Chunk = RouteAttentionPlan.CpuMeanTokens;
        int* rows = stackalloc int[Chunk];
        new Span<float>(mean, width).Clear();
        var tokens = new CpuRouteTokens(sizes, &window, 1);
        int total = 0, count;
        while ((count = tokens.Next(rows, Chunk)) > 0)
        {
            total += count;
            for (int i = 0; i < count; i++)
            {
                float* row = source.Data + (rows[i] * source.Stride);
                int column = 0;
                for (; column + S.Count <= width; column += S.Count)
                {
                    S.Store(mean + column, S.Add(S.Load(mean + column), S.Load(row + column)));
                }

                for (; column < width; column++)
                {
                    mean[column] += row[column];
                }
            }
        }

        for (int column = 0; column < width; column++)
        {
            mean[column] /= total;
        }
    }

    private static double Dot(float* x, float* y, int count)
    {
        double even = 0, odd = 0;
        int i = 0;
        for (; i + 2 <= count; i += 2)
        {
            even += (double)x[i] * y[i];
            odd += (double)x[i + 1] * y[i + 1];
        }

        return i < count ? even + odd + ((double)x[i] * y[i]) : even + odd;
    }
}
