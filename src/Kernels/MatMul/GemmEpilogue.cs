using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>What happens to a finished tile on its way from scratch memory, which is in L1, to C.</summary>
internal static unsafe class GemmEpilogue<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>C's elements from `offset` on, in column `column`: rows x columns of a tile whose rows are two vectors apart.</summary>
    internal static void Apply(GemmArguments* a, float* tile, long offset, int column, int rows, int columns)
    {
        for (int i = 0; i < rows; i++, tile += 2 * S.Count, offset += a->Ldc)
        {
            int j = 0;
            for (; j + S.Count <= columns; j += S.Count)
            {
                S.Store(a->C + offset + j, Value(a, S.Load(tile + j), offset + j, column + j));
            }

            for (; j < columns; j++)
            {
                a->C[offset + j] = One(a, tile[j], offset + j, column + j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Value(GemmArguments* a, V value, long at, int column)
    {
        value = S.Multiply(value, S.Set(a->Alpha));
        if (a->Add)
        {
            value = S.Add(value, S.Load(a->C + at));
        }

        if (!a->Last)
        {
            return value;
        }

        if (a->Bias != null)
        {
            value = S.Add(value, S.Load(a->Bias + column));
        }

        if (a->PreActivation != null)
        {
            S.Store(a->PreActivation + at, value);
        }

        value = a->ActivationGradientOf != null
            ? S.Multiply(value, ActivationMath<S, V>.Derivative(S.Load(a->ActivationGradientOf + at), a->Activation))
            : ActivationMath<S, V>.Apply(value, a->Activation);
        return a->Residual != null ? S.Add(value, S.Load(a->Residual + at)) : value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float One(GemmArguments* a, float value, long at, int column)
    {
        value *= a->Alpha;
        if (a->Add)
        {
            value += a->C[at];
        }

        if (!a->Last)
        {
            return value;
        }

        if (a->Bias != null)
        {
            value += a->Bias[column];
        }

        if (a->PreActivation != null)
        {
            a->PreActivation[at] = value;
        }

        value = a->ActivationGradientOf != null
            ? value * ActivationMath<S, V>.Derivative(a->ActivationGradientOf[at], a->Activation)
            : ActivationMath<S, V>.Apply(value, a->Activation);
        return a->Residual != null ? value + a->Residual[at] : value;
    }
}
