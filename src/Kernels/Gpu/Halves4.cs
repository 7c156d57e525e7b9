using ILGPU;

namespace Ldvc.Kernels.Gpu;

/// <summary>Four numbers of 16 bits, 8 bytes: what a thread of an element-wise kernel moves at once.</summary>
internal struct Halves4
{
    public uint X;
    public uint Y;

    /// <summary>The nearest numbers.</summary>
    internal static Halves4 Round<TFormat>(Float4 value, ArrayView<int> overflow)
        where TFormat : struct, IHalfFormat
    {
        TFormat.Watch(overflow, Largest(value));
        Halves4 rounded;
        rounded.X = TFormat.Pack(value.X, value.Y);
        rounded.Y = TFormat.Pack(value.Z, value.W);
        return rounded;
    }

    /// <summary>The values: exact.</summary>
    internal static Float4 Widen<TFormat>(Halves4 value)
        where TFormat : struct, IHalfFormat => new(TFormat.Low(value.X), TFormat.High(value.X), TFormat.Low(value.Y), TFormat.High(value.Y));

    /// <summary>The largest absolute value of two.</summary>
    internal static float Largest(float a, float b) => IntrinsicMath.Max(IntrinsicMath.Abs(a), IntrinsicMath.Abs(b));

    /// <summary>The largest absolute value of four.</summary>
    internal static float Largest(Float4 value) => IntrinsicMath.Max(Largest(value.X, value.Y), Largest(value.Z, value.W));
}
