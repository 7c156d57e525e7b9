using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// What the kernels for numbers of 16 bits need to know of them. fp16 has three bits more than bf16 and a small range: finite numbers beyond it are
/// seen when they are stored (<see cref="HalfState"/>), and gradients are stored times a power of two
/// (<see cref="Reduction.IReductionKernels.GradientScale"/>). bf16 needs neither, and its kernels hold nothing of it.
/// </summary>
internal interface IHalfFormat
{
    /// <summary>How kernels are called: "bf16".</summary>
    static abstract string Name { get; }

    /// <summary>The nearest numbers, ties to even; low in the lower half.</summary>
    static abstract uint Pack(float low, float high);

    /// <summary>The value of the lower half.</summary>
    static abstract float Low(uint pair);

    /// <summary>The value of the upper half.</summary>
    static abstract float High(uint pair);

    /// <summary>c + a b on the tensor cores: 16 rows, 8 columns, 16 steps.</summary>
    static abstract Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1);

    /// <summary>What gradients are multiplied with: element <paramref name="at"/> of a scale when it is used.</summary>
    static abstract float Factor(ArrayView<float> scale, int at, int used);

    /// <summary>x times a <see cref="Factor"/>.</summary>
    static abstract float Times(float x, float factor);

    /// <summary>Takes down that a finite number is too large to be stored; largest is the absolute value of one, or the largest of some.</summary>
    static abstract void Watch(ArrayView<int> overflow, float largest);
}

/// <summary>8 bits of mantissa and float32's range.</summary>
internal readonly struct Bf16Format : IHalfFormat
{
    public static string Name => "bf16";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Pack(float low, float high) => Bf16.Pack(low, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Low(uint pair) => Bf16.Low(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float High(uint pair) => Bf16.High(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => Mma.Bf16(a.X, a.Y, a.Z, a.W, b0, b1, c.X, c.Y, c.Z, c.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Factor(ArrayView<float> scale, int at, int used) => 1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Times(float x, float factor) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Watch(ArrayView<int> overflow, float largest)
    {
        // Nothing finite is too large but what rounds up from the last numbers of float32.
    }
}

/// <summary>11 bits of mantissa and numbers up to 65504.</summary>
internal readonly struct Fp16Format : IHalfFormat
{
    public static string Name => "fp16";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Pack(float low, float high) => Fp16.Pack(low, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Low(uint pair) => Fp16.Low(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float High(uint pair) => Fp16.High(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Multiply(Accumulator c, Registers4 a, uint b0, uint b1) => Mma.Fp16(a.X, a.Y, a.Z, a.W, b0, b1, c.X, c.Y, c.Z, c.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Factor(ArrayView<float> scale, int at, int used) => used != 0 ? scale[at] : 1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Times(float x, float factor) => x * factor;

    // Halfway from 65504 to the number that would come next rounds to infinity. What is infinite already was not made so here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Watch(ArrayView<int> overflow, float largest)
    {
        float own = Fp16.OfThread(largest);
        if (own >= HalfState.First && own <= float.MaxValue)
        {
            Fp16.Mark(ref overflow[0]);
        }
    }
}
