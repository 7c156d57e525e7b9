using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>What happens to a finished tile of C while it is still in L1.</summary>
internal static unsafe class GemmEpilogue<S, V>
    where S : ISimd<V>
    where V : struct
{
    internal static void Apply(GemmArguments* a, long offset, int column, int rows, int columns)
    {
        if (a->Bias == null && a->Activation == Activation.None && a->Residual == null && a->PreActivation == null)
        {
            return;
        }

        for (int i = 0; i < rows; i++)
        {
            long at = offset + ((long)i * a->Ldc);
            int j = 0;
            for (; j + S.Count <= columns; j += S.Count)
            {
                V value = S.Load(a->C + at + j);
                if (a->Bias != null)
                {
                    value = S.Add(value, S.Load(a->Bias + column + j));
                }

                if (a->PreActivation != null)
                {
                    S.Store(a->PreActivation + at + j, value);
                }

                if (a->ActivationGradientOf != null)
                {
                    value = S.Multiply(value, ActivationMath<S, V>.Derivative(S.Load(a->ActivationGradientOf + at + j), a->Activation));
                }
                else
                {
                    value = ActivationMath<S, V>.Apply(value, a->Activation);
                }

                if (a->Residual != null)
                {
                    value = S.Add(value, S.Load(a->Residual + at + j));
                }

                S.Store(a->C + at + j, value);
            }

            for (; j < columns; j++)
            {
                a->C[at + j] = One(a, at + j, column + j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float One(GemmArguments* a, long at, int column)
    {
        float value = a->C[at];
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
