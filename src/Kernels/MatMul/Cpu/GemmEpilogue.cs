using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>What happens to a finished tile on its way from scratch memory, which is in L1, to C.</summary>
internal static unsafe class GemmEpilogue<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>C's elements from `offset` on, in column `column`: rows x columns of a tile whose rows are two vectors apart.</summary>
    internal static void Apply(GemmArguments* a, float* tile, long offset, int column, int rows, int columns)
    {
        if (a->Last && !a->Add && a->Activation == Activation.None && a->PreActivation == null && a->ActivationGradientOf == null
            && columns == 2 * S.Count)
        {
            Plain(a, tile, offset, column, rows);
            return;
        }

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

    // Most products: whole panels with a bias and a residual, or without; the same operations in the same order as below.
    private static void Plain(GemmArguments* a, float* tile, long offset, int column, int rows)
    {
        V alpha = S.Set(a->Alpha), bias0 = S.Zero, bias1 = S.Zero;
        if (a->Bias != null)
        {
            (bias0, bias1) = (S.Load(a->Bias + column), S.Load(a->Bias + column + S.Count));
        }

        float* c = a->C + offset;
        float* residual = a->Residual == null ? null : a->Residual + offset;
        for (int i = 0; i < rows; i++, tile += 2 * S.Count, c += a->Ldc)
        {
            V value0 = S.Add(S.Multiply(S.Load(tile), alpha), bias0), value1 = S.Add(S.Multiply(S.Load(tile + S.Count), alpha), bias1);
            if (residual != null)
            {
                value0 = S.Add(value0, S.Load(residual));
                value1 = S.Add(value1, S.Load(residual + S.Count));
                residual += a->Ldc;
            }

            S.Store(c, value0);
            S.Store(c + S.Count, value1);
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
            ? ActivationMath<S, V>.Backward(value, S.Load(a->ActivationGradientOf + at), a->Activation)
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
            ? ActivationMath<S, V>.Backward(value, a->ActivationGradientOf[at], a->Activation)
            : ActivationMath<S, V>.Apply(value, a->Activation);
        return a->Residual != null ? value + a->Residual[at] : value;
    }
}
