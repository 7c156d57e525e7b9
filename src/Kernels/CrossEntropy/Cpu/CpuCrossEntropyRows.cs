using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.CrossEntropy.Cpu;

internal unsafe struct CrossEntropyArguments
{
    public float* Logits;
    public int* Targets;
    public float* LogSumExp;
    public float* Dlogits;
    public float Scale;
    public bool Accumulate;
    public int Rows;
    public int Columns;
    public int Ignored;
    public int Tiles;
}

/// <summary>Log-sum-exp and softmax gradient of a tile of rows.</summary>
internal static unsafe class CpuCrossEntropyRows<S, V>
    where S : ISimd<V>
    where V : struct
{
    // The last, partial vector of a row goes through a buffer of one vector.
    private const int TailSize = SimdLevel.MaxLanes;

    internal static void Forward(CrossEntropyArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        float* tail = stackalloc float[TailSize];
        float* lanes = stackalloc float[TailSize];
        new Span<float>(tail, TailSize).Fill(float.NegativeInfinity);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->Logits + (row * columns);
            V largest = S.Set(float.NegativeInfinity);
            for (int i = 0; i < vectors; i += S.Count)
            {
                largest = S.Max(largest, S.Load(x + i));
            }

            CopyTail(x, vectors, columns, tail);
            float max = S.MaxLane(S.Max(largest, S.Load(tail)));
            V maxima = S.Set(max), sum = S.Zero, probe = S.Zero;
            for (int i = 0; i < vectors; i += S.Count)
            {
                Add(S.Subtract(S.Load(x + i), maxima), ref sum, ref probe);
            }

            float total = S.Sum(sum);
            if (vectors < columns)
            {
                // Lane by lane: the unused lanes must add nothing, not e^-87.
                sum = S.Zero;
                Add(S.Subtract(S.Load(tail), maxima), ref sum, ref probe);
                S.Store(lanes, sum);
                for (int i = 0; i < columns - vectors; i++)
                {
                    total += lanes[i];
                }
            }

            a->LogSumExp[row] = max + MathF.Log(total) + S.Sum(probe);
        }
    }

    internal static void Backward(CrossEntropyArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        float* tail = stackalloc float[TailSize];
        float* lanes = stackalloc float[TailSize];
        new Span<float>(tail, TailSize).Fill(float.NegativeInfinity);
        V scales = S.Set(a->Scale);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->Logits + (row * columns);
            float* dx = a->Dlogits + (row * columns);
            if (a->Targets[row] == a->Ignored)
            {
                if (!a->Accumulate)
                {
                    new Span<float>(dx, columns).Clear();
                }

                continue;
            }

            V logSums = S.Set(a->LogSumExp[row]);
            for (int i = 0; i < vectors; i += S.Count)
            {
                V p = VectorMath<S, V>.Exp(S.Subtract(S.Load(x + i), logSums));
                S.Store(dx + i, a->Accumulate ? S.Fma(p, scales, S.Load(dx + i)) : S.Multiply(p, scales));
            }

            if (vectors < columns)
            {
                CopyTail(x, vectors, columns, tail);
                S.Store(lanes, S.Multiply(VectorMath<S, V>.Exp(S.Subtract(S.Load(tail), logSums)), scales));
                for (int i = vectors; i < columns; i++)
                {
                    dx[i] = a->Accumulate ? dx[i] + lanes[i - vectors] : lanes[i - vectors];
                }
            }

            dx[a->Targets[row]] -= a->Scale;
        }
    }

    // The probe stays zero unless a value is NaN, which the exponential's clamping would hide: a diverged model must show in the loss.
    private static void Add(V x, ref V sum, ref V probe)
    {
        V limited = S.Max(S.Set(-87f), x);
        sum = S.Add(sum, VectorMath<S, V>.Exp(limited));
        probe = S.Fma(limited, S.Zero, probe);
    }

    private static void CopyTail(float* x, int vectors, int columns, float* tail)
    {
        for (int i = vectors; i < columns; i++)
        {
            tail[i - vectors] = x[i];
        }
    }
}
