using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise;

internal enum ElementwiseKind
{
    Add,
    Scale,
    Multiply,
    Activate,
    ActivateBackward,
}

internal unsafe struct ElementwiseArguments
{
    public ElementwiseKind Kind;
    public float* A;
    public float* B;
    public float* Y;
    public float Factor;
    public Activation Activation;
    public bool Accumulate;
    public long Count;
    public int Tiles;
}

/// <summary>One tile of an element-wise kernel; the kind is constant over the tile, so its branch is predicted away.</summary>
internal static unsafe class CpuElements<S, V>
    where S : ISimd<V>
    where V : struct
{
    internal static void Tile(ElementwiseArguments* a, int tile, int worker)
    {
        long i = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1);
        for (; i + S.Count <= end; i += S.Count)
        {
            Step(a, a->A + i, a->B + i, a->Y + i);
        }

        if (i < end)
        {
            // The odd rest goes through the same vector code in a small buffer: the same rounding for every element.
            int rest = (int)(end - i);
            float* buffer = stackalloc float[3 * 16];
            new Span<float>(buffer, 48).Clear();
            for (int j = 0; j < rest; j++)
            {
                buffer[j] = a->A[i + j];
                buffer[16 + j] = a->B[i + j];
                buffer[32 + j] = a->Y[i + j];
            }

            Step(a, buffer, buffer + 16, buffer + 32);
            for (int j = 0; j < rest; j++)
            {
                a->Y[i + j] = buffer[32 + j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(ElementwiseArguments* arguments, float* a, float* b, float* y)
    {
        V value = arguments->Kind switch
        {
            ElementwiseKind.Add => S.Add(S.Load(a), S.Load(b)),
            ElementwiseKind.Scale => S.Multiply(S.Load(a), S.Set(arguments->Factor)),
            ElementwiseKind.Multiply => S.Multiply(S.Load(a), S.Load(b)),
            ElementwiseKind.Activate => ActivationMath<S, V>.Apply(S.Load(a), arguments->Activation),
            _ => S.Multiply(S.Load(b), ActivationMath<S, V>.Derivative(S.Load(a), arguments->Activation)),
        };
        S.Store(y, arguments->Accumulate ? S.Add(S.Load(y), value) : value);
    }
}
