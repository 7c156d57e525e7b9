using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Gpu;

/// <summary>Four bf16 values, 8 bytes: what a thread of an element-wise kernel moves at once.</summary>
internal struct Bf16x4
{
    public uint X;
    public uint Y;

    /// <summary>The nearest bf16 values.</summary>
    internal static Bf16x4 Round(Float4 value)
    {
        Bf16x4 rounded;
        rounded.X = Bf16.Pack(value.X, value.Y);
        rounded.Y = Bf16.Pack(value.Z, value.W);
        return rounded;
    }

    /// <summary>The values: exact.</summary>
    internal static Float4 Widen(Bf16x4 value) => new(Bf16.Low(value.X), Bf16.High(value.X), Bf16.Low(value.Y), Bf16.High(value.Y));
}
