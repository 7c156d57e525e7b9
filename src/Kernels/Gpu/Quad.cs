namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Arithmetic of four floats. Kernels keep their accumulators in such structs of scalars, which stay in registers; arrays would go to local memory.
/// Plain multiplications and additions are contracted to fused ones by the device's compiler.
/// </summary>
internal static class Quad
{
    /// <summary>y + a x.</summary>
    internal static Float4 Axpy(Float4 y, float a, Float4 x) => new(y.X + (a * x.X), y.Y + (a * x.Y), y.Z + (a * x.Z), y.W + (a * x.W));

    /// <summary>a x.</summary>
    internal static Float4 Scale(Float4 x, float a) => new(a * x.X, a * x.Y, a * x.Z, a * x.W);

    /// <summary>Element-wise product.</summary>
    internal static Float4 Multiply(Float4 a, Float4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    /// <summary>sum + a . b.</summary>
    internal static float Dot(float sum, Float4 a, Float4 b) => sum + (a.X * b.X) + (a.Y * b.Y) + (a.Z * b.Z) + (a.W * b.W);

    /// <summary>sums + (a0 . b, a1 . b, a2 . b, a3 . b): one column of a 4-row tile of a product.</summary>
    internal static Float4 Column(Float4 sums, Float4 a0, Float4 a1, Float4 a2, Float4 a3, Float4 b) =>
        new(Dot(sums.X, a0, b), Dot(sums.Y, a1, b), Dot(sums.Z, a2, b), Dot(sums.W, a3, b));

    /// <summary>Element-wise sum.</summary>
    internal static Float4 Add(Float4 a, Float4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    /// <summary>Element-wise difference.</summary>
    internal static Float4 Subtract(Float4 a, Float4 b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);

    /// <summary>a - b for each element of a.</summary>
    internal static Float4 Subtract(Float4 a, float b) => new(a.X - b, a.Y - b, a.Z - b, a.W - b);

    /// <summary>Element-wise maximum.</summary>
    internal static Float4 Max(Float4 a, Float4 b) => new(MathF.Max(a.X, b.X), MathF.Max(a.Y, b.Y), MathF.Max(a.Z, b.Z), MathF.Max(a.W, b.W));

    /// <summary>Element-wise exponential.</summary>
    internal static Float4 Exp(Float4 x) => new(MathF.Exp(x.X), MathF.Exp(x.Y), MathF.Exp(x.Z), MathF.Exp(x.W));
}
