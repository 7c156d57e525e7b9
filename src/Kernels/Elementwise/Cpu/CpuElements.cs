using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Cpu;

internal unsafe struct ElementArguments
{
    public float* A;
    public float* B;
    public float* Y;
    public float Factor;
    public bool Accumulate;
    public long Count;
    public int Tiles;
}

/// <summary>What a vector of the result is, given the operands' vectors and the call's factor.</summary>
internal interface IElementStep
{
    static abstract V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct;
}

/// <summary>One tile of y (+)= step(a, b) for dense operands: a loop of its own for every step and width.</summary>
internal readonly unsafe struct CpuElements<TStep> : ITileKernel<ElementArguments>
    where TStep : struct, IElementStep
{
    private const int Most = SimdLevel.MaxLanes;

    public static void Tile<S, V>(ElementArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        long i = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1);
        float* left = a->A;
        float* right = a->B;
        float* y = a->Y;
        V factor = S.Set(a->Factor);
        if (a->Accumulate)
        {
            for (; i + S.Count <= end; i += S.Count)
            {
                S.Store(y + i, S.Add(S.Load(y + i), TStep.Of<S, V>(S.Load(left + i), S.Load(right + i), factor)));
            }
        }
        else
        {
            for (; i + S.Count <= end; i += S.Count)
            {
                S.Store(y + i, TStep.Of<S, V>(S.Load(left + i), S.Load(right + i), factor));
            }
        }

        if (i < end)
        {
            // The odd rest goes through the same vector code in a small buffer: the same rounding for every element.
            float* buffer = stackalloc float[2 * Most];
            new Span<float>(buffer, 2 * Most).Clear();
            int rest = (int)(end - i);
            for (int j = 0; j < rest; j++)
            {
                (buffer[j], buffer[Most + j]) = (left[i + j], right[i + j]);
            }

            S.Store(buffer, TStep.Of<S, V>(S.Load(buffer), S.Load(buffer + Most), factor));
            for (int j = 0; j < rest; j++)
            {
                y[i + j] = a->Accumulate ? y[i + j] + buffer[j] : buffer[j];
            }
        }
    }
}

internal readonly struct ScaleStep : IElementStep
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(a, factor);
}

internal readonly struct FillStep : IElementStep
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        factor;
}

internal readonly struct UnaryStep<TFunction> : IElementStep
    where TFunction : struct, IUnaryFunction
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        TFunction.Value<S, V>(a);
}

internal readonly struct SlopeStep<TFunction> : IElementStep
    where TFunction : struct, IUnaryFunction
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(b, TFunction.Slope<S, V>(a));
}

// Where nothing went through, nothing comes back, as in PyTorch: 0 times the infinite slope of sqrt(relu(x)) would be NaN.
internal readonly struct ReluSlopeStep : IElementStep
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        S.SelectPositive(a, b, S.Zero);
}

internal readonly struct BinaryStep<TFunction> : IElementStep
    where TFunction : struct, IBinaryFunction
{
    public static V Of<S, V>(V a, V b, V factor)
        where S : ISimd<V>
        where V : struct =>
        TFunction.Value<S, V>(a, b);
}
