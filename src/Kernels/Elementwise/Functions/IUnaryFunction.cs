using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>
/// A function of one number and its slope, for the CPU's vectors and the GPU's scalars. To add one: a struct here, its line in
/// <c>Gpu/GpuFunctions</c>, and its method in <c>Ops/UnaryOp</c>; loops, kernels and the backward are there already.
/// </summary>
internal interface IUnaryFunction
{
    /// <summary>Its kernels' name, e.g. "exp".</summary>
    static abstract string Name { get; }

    /// <summary>Whether the slope is a function of the result instead of the argument: then the backward keeps the result.</summary>
    static abstract bool SlopeOfResult { get; }

    /// <summary>f(x).</summary>
    static abstract V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct;

    /// <summary>f'(x), given x, or given f(x) with <see cref="SlopeOfResult"/>.</summary>
    static abstract V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct;

    /// <summary>f(x) in a kernel: no branches that throw, no calls but <see cref="MathF"/> and Gpu/GpuMath.</summary>
    static abstract float Value(float x);

    /// <summary>f'(x) in a kernel, given what the other slope is given.</summary>
    static abstract float Slope(float x);
}
