using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>4 x 4 sums in registers; Ri is row i.</summary>
internal struct Sums4x4
{
    internal Float4 R0;
    internal Float4 R1;
    internal Float4 R2;
    internal Float4 R3;

    /// <summary>sums + a b^T for four rows of a and four columns of b.</summary>
    internal static Sums4x4 MultiplyAdd(Sums4x4 sums, Float4 a, Float4 b) => new()
    {
        R0 = Float4.MultiplyAdd(a.X, b, sums.R0),
        R1 = Float4.MultiplyAdd(a.Y, b, sums.R1),
        R2 = Float4.MultiplyAdd(a.Z, b, sums.R2),
        R3 = Float4.MultiplyAdd(a.W, b, sums.R3),
    };
}

/// <summary>8 x 8 sums in registers, as four blocks that lie 64 rows or columns apart: then a warp's 16-byte reads are contiguous.</summary>
internal struct Sums8x8
{
    internal Sums4x4 UpperLeft;
    internal Sums4x4 UpperRight;
    internal Sums4x4 LowerLeft;
    internal Sums4x4 LowerRight;

    internal static Sums8x8 MultiplyAdd(Sums8x8 sums, Float4 upper, Float4 lower, Float4 left, Float4 right) => new()
    {
        UpperLeft = Sums4x4.MultiplyAdd(sums.UpperLeft, upper, left),
        UpperRight = Sums4x4.MultiplyAdd(sums.UpperRight, upper, right),
        LowerLeft = Sums4x4.MultiplyAdd(sums.LowerLeft, lower, left),
        LowerRight = Sums4x4.MultiplyAdd(sums.LowerRight, lower, right),
    };
}
