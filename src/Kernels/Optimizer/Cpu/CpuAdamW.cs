using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Optimizer.Cpu;

/// <summary>AdamW over a tile of one parameter: w = w (1 - lr wd) - lr/c1 * m / (sqrt(v)/sqrt(c2) + eps).</summary>
internal readonly unsafe struct CpuAdamW : ITileKernel<AdamWArguments>
{
    public static void Tile<S, V>(AdamWArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        long i = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1);
        for (; i + S.Count <= end; i += S.Count)
        {
            Step<S, V>(a, a->Weights + i, a->Gradients + i, a->First + i, a->Second + i);
        }

        if (i < end)
        {
            int rest = (int)(end - i);
            const int lanes = SimdLevel.MaxLanes;
            float* buffer = stackalloc float[4 * lanes];
            new Span<float>(buffer, 4 * lanes).Clear();
            for (int j = 0; j < rest; j++)
            {
                buffer[j] = a->Weights[i + j];
                buffer[lanes + j] = a->Gradients[i + j];
                buffer[(2 * lanes) + j] = a->First[i + j];
                buffer[(3 * lanes) + j] = a->Second[i + j];
            }

            Step<S, V>(a, buffer, buffer + lanes, buffer + (2 * lanes), buffer + (3 * lanes));
            for (int j = 0; j < rest; j++)
            {
                a->Weights[i + j] = buffer[j];
                a->First[i + j] = buffer[(2 * lanes) + j];
                a->Second[i + j] = buffer[(3 * lanes) + j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S, V>(AdamWArguments* a, float* weight, float* gradient, float* first, float* second)
        where S : ISimd<V>
        where V : struct
    {
        V g = S.Multiply(S.Load(gradient), S.Set(a->GradientScale));
        V m = S.Fma(S.Set(a->Beta1), S.Load(first), S.Multiply(S.Set(1f - a->Beta1), g));
        V v = S.Fma(S.Set(a->Beta2), S.Load(second), S.Multiply(S.Set(1f - a->Beta2), S.Multiply(g, g)));
        S.Store(first, m);
        S.Store(second, v);
        V denominator = S.Fma(S.Sqrt(v), S.Set(a->InverseRootCorrection), S.Set(a->Epsilon));
        V w = S.Multiply(S.Load(weight), S.Set(a->Shrink));
        S.Store(weight, S.Subtract(w, S.Divide(S.Multiply(m, S.Set(a->StepSize)), denominator)));
    }
}
