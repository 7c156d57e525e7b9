using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>
/// A function of two numbers, for the CPU's vectors and the GPU's scalars. Both round alike: edges of the CPU's loops use the scalar.
/// </summary>
internal interface IBinaryFunction
{
    /// <summary>Its kernels' name, e.g. "multiply".</summary>
    static abstract string Name { get; }

    /// <summary>f(a, b).</summary>
    static abstract V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct;

    /// <summary>f(a, b) in a kernel.</summary>
    static abstract float Value(float a, float b);
}
