namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Four floats that are loaded and stored as one 16-byte access. Kernels keep their accumulators in quads: structs of scalars stay in registers,
/// arrays would go to local memory. Plain multiplications and additions are contracted to fused ones by the device's compiler.
/// </summary>
internal readonly struct Quad(float x, float y, float z, float w)
{
    internal readonly float X = x;
    internal readonly float Y = y;
    internal readonly float Z = z;
    internal readonly float W = w;

    /// <summary>y + a x.</summary>
    internal static Quad Axpy(Quad y, float a, Quad x) => new(y.X + (a * x.X), y.Y + (a * x.Y), y.Z + (a * x.Z), y.W + (a * x.W));

    /// <summary>a x.</summary>
    internal static Quad Scale(Quad x, float a) => new(a * x.X, a * x.Y, a * x.Z, a * x.W);

    /// <summary>Element-wise product.</summary>
    internal static Quad Multiply(Quad a, Quad b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    /// <summary>sum + a . b.</summary>
    internal static float Dot(float sum, Quad a, Quad b) => sum + (a.X * b.X) + (a.Y * b.Y) + (a.Z * b.Z) + (a.W * b.W);

    /// <summary>sums + (a0 . b, a1 . b, a2 . b, a3 . b): one column of a 4-row tile of a product.</summary>
    internal static Quad Column(Quad sums, Quad a0, Quad a1, Quad a2, Quad a3, Quad b) =>
        new(Dot(sums.X, a0, b), Dot(sums.Y, a1, b), Dot(sums.Z, a2, b), Dot(sums.W, a3, b));

    /// <summary>Element-wise sum.</summary>
    internal static Quad Add(Quad a, Quad b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    /// <summary>Element-wise difference.</summary>
    internal static Quad Subtract(Quad a, Quad b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);

    /// <summary>a - b for each element of a.</summary>
    internal static Quad Subtract(Quad a, float b) => new(a.X - b, a.Y - b, a.Z - b, a.W - b);

    /// <summary>Element-wise maximum.</summary>
    internal static Quad Max(Quad a, Quad b) => new(MathF.Max(a.X, b.X), MathF.Max(a.Y, b.Y), MathF.Max(a.Z, b.Z), MathF.Max(a.W, b.W));

    /// <summary>Element-wise exponential.</summary>
    internal static Quad Exp(Quad x) => new(MathF.Exp(x.X), MathF.Exp(x.Y), MathF.Exp(x.Z), MathF.Exp(x.W));
}
