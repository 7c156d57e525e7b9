using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Tokens.Cpu;

internal unsafe struct LogMeanExpArguments
{
    public float* X;
    public float* Y;
    public float* Dy;
    public float* Dx;
    public int Tokens;
    public int Width;
    public float Sharpness;
    public bool Accumulate;
}

/// <summary>The soft maximum over the tokens of one picture and its gradient; vectors run over columns, so all loads are of neighbours.</summary>
internal static unsafe class CpuLogMeanExp<S, V>
    where S : ISimd<V>
    where V : struct
{
    // Columns that are left over go through a buffer of one vector.
    private const int TailSize = SimdLevel.MaxLanes;

    internal static void Forward(LogMeanExpArguments* a, int batch, int worker)
    {
        float* x = a->X + ((long)batch * a->Tokens * a->Width);
        float* y = a->Y + ((long)batch * a->Width);
        float* buffer = stackalloc float[TailSize];
        float* maxima = stackalloc float[TailSize];
        V sharpness = S.Set(a->Sharpness);
        for (int column = 0; column < a->Width; column += S.Count)
        {
            int count = Math.Min(S.Count, a->Width - column);
            V largest = S.Set(float.NegativeInfinity);
            for (int t = 0; t < a->Tokens; t++)
            {
                largest = S.Max(largest, Load(x + ((long)t * a->Width) + column, count, buffer));
            }

            V sum = S.Zero, probe = S.Zero;
            for (int first = 0, end; first < a->Tokens; first = end)
            {
                end = Tiling.BlockEnd(first, a->Tokens);
                V part = S.Zero;
                for (int t = first; t < end; t++)
                {
                    V below = S.Multiply(S.Subtract(Load(x + ((long)t * a->Width) + column, count, buffer), largest), sharpness);
                    part = S.Add(part, VectorMath<S, V>.Exp(below));

                    // Zero unless a value is NaN, which the exponential's clamping would hide. -infinity, a token that is masked, counts for nothing.
                    probe = S.SelectEqual(below, below, probe, below);
                }

                sum = S.Add(sum, part);
            }

            S.Store(buffer, S.Add(sum, probe));
            S.Store(maxima, largest);
            for (int i = 0; i < count; i++)
            {
                y[column + i] = maxima[i] + (MathF.Log(buffer[i] / a->Tokens) / a->Sharpness);
            }
        }
    }

    /// <summary>dx = dy e^(sharpness (x - y)) / tokens: the weights of a softmax.</summary>
    internal static void Backward(LogMeanExpArguments* a, int batch, int worker)
    {
        long offset = (long)batch * a->Tokens * a->Width, few = (long)batch * a->Width;
        float* buffer = stackalloc float[TailSize];
        V sharpness = S.Set(a->Sharpness), each = S.Set(1f / a->Tokens);
        for (int column = 0; column < a->Width; column += S.Count)
        {
            int count = Math.Min(S.Count, a->Width - column);
            V y = Load(a->Y + few + column, count, buffer), dy = S.Multiply(Load(a->Dy + few + column, count, buffer), each);
            for (int t = 0; t < a->Tokens; t++)
            {
                long at = offset + ((long)t * a->Width) + column;
                V weight = VectorMath<S, V>.Exp(S.Multiply(S.Subtract(Load(a->X + at, count, buffer), y), sharpness));
                V gradient = S.Multiply(weight, dy);
                if (a->Accumulate)
                {
                    gradient = S.Add(gradient, Load(a->Dx + at, count, buffer));
                }

                Store(gradient, a->Dx + at, count, buffer);
            }
        }
    }

    private static V Load(float* source, int count, float* buffer)
    {
        if (count == S.Count)
        {
            return S.Load(source);
        }

        for (int i = 0; i < count; i++)
        {
            buffer[i] = source[i];
        }

        return S.Load(buffer);
    }

    private static void Store(V value, float* target, int count, float* buffer)
    {
        if (count == S.Count)
        {
            S.Store(target, value);
            return;
        }

        S.Store(buffer, value);
        for (int i = 0; i < count; i++)
        {
            target[i] = buffer[i];
        }
    }
}
