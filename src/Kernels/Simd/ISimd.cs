namespace Ldvc.Kernels.Simd;

/// <summary>
/// One vector width. CPU kernels are generic over (S, V): the JIT compiles a version of each for 128, 256 and 512 bits, every call below becoming
/// one or two instructions, and <see cref="SimdLevel"/> picks one at run time.
/// </summary>
internal unsafe interface ISimd<V>
    where V : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Count { get; }

    static abstract V Zero { get; }

    static abstract V Set(float value);

    static abstract V Load(float* source);

    static abstract void Store(float* target, V value);

    static abstract V Add(V a, V b);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    static abstract V Divide(V a, V b);

    /// <summary>1 / a for a in [1, 1e38], within an ulp or two.</summary>
    static abstract V Reciprocal(V a);

    /// <summary>a * b + c, fused where the machine can.</summary>
    static abstract V Fma(V a, V b, V c);

    static abstract V Max(V a, V b);

    static abstract V Min(V a, V b);

    static abstract V Sqrt(V a);

    static abstract V Abs(V a);

    /// <summary>Rounds to the nearest integer, ties to even.</summary>
    static abstract V Round(V a);

    /// <summary>a * 2^n for an integral float n in [-126, 127].</summary>
    static abstract V ScaleByPowerOfTwo(V a, V n);

    /// <summary>a where mask's value is greater than zero, b elsewhere.</summary>
    static abstract V SelectPositive(V mask, V a, V b);

    /// <summary>Natural logarithm for every argument: -infinity at zero, NaN below.</summary>
    static abstract V Log(V a);

    /// <summary>a where left is greater than right, b elsewhere and where either is NaN.</summary>
    static abstract V SelectGreater(V left, V right, V a, V b);

    /// <summary>a where left equals right, b elsewhere and where either is NaN.</summary>
    static abstract V SelectEqual(V left, V right, V a, V b);

    /// <summary>Sum of the lanes.</summary>
    static abstract float Sum(V a);

    /// <summary>Largest lane.</summary>
    static abstract float MaxLane(V a);
}
