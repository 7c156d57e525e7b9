namespace Ldvc.Kernels.Gpu;

/// <summary>
/// What one load or store of a kernel moves: <see cref="Float4"/> where addresses are multiples of 16 bytes, else <see cref="Float1"/>.
/// </summary>
internal interface IPack<T>
    where T : unmanaged, IPack<T>
{
    static abstract T Fill(float value);

    static abstract T Add(T a, T b);

    static abstract T Multiply(T a, T b);

    /// <summary>Sum of the parts.</summary>
    static abstract float Sum(T a);

    /// <summary>The bits of the largest absolute value of the parts and of a number given by its bits (<see cref="ScaleOfGrid.Larger"/>).</summary>
    static abstract int Larger(int largest, T a);

    /// <summary>Dropout factors of the elements of pack number `at`; the first pack's first element stands at `first` of the mask.</summary>
    static abstract T Kept(ulong key, ulong first, int at, uint threshold, float scale);
}

/// <summary>Four floats moved by one 16-byte load or store.</summary>
internal struct Float4 : IPack<Float4>
{
    internal float X;
    internal float Y;
    internal float Z;
    internal float W;

    internal Float4(float x, float y, float z, float w) => (X, Y, Z, W) = (x, y, z, w);

    public static Float4 Fill(float value) => new(value, value, value, value);

    public static Float4 Add(Float4 a, Float4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    public static Float4 Multiply(Float4 a, Float4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    public static float Sum(Float4 a) => (a.X + a.Y) + (a.Z + a.W);

    public static int Larger(int largest, Float4 a) =>
        ScaleOfGrid.Larger(ScaleOfGrid.Larger(ScaleOfGrid.Larger(ScaleOfGrid.Larger(largest, a.X), a.Y), a.Z), a.W);

    public static Float4 Kept(ulong key, ulong first, int at, uint threshold, float scale)
    {
        ulong index = first + (4 * (ulong)at);
        return new(
            DropoutMask.Factor(key, index, threshold, scale), DropoutMask.Factor(key, index + 1, threshold, scale),
            DropoutMask.Factor(key, index + 2, threshold, scale), DropoutMask.Factor(key, index + 3, threshold, scale));
    }

    /// <summary>a * b + c, one a for all four: a row of an outer product.</summary>
    internal static Float4 MultiplyAdd(float a, Float4 b, Float4 c) => new((a * b.X) + c.X, (a * b.Y) + c.Y, (a * b.Z) + c.Z, (a * b.W) + c.W);
}

/// <summary>One float, for data whose addresses or sizes are no multiples of four.</summary>
internal struct Float1 : IPack<Float1>
{
    internal float X;

    internal Float1(float x) => X = x;

    public static Float1 Fill(float value) => new(value);

    public static Float1 Add(Float1 a, Float1 b) => new(a.X + b.X);

    public static Float1 Multiply(Float1 a, Float1 b) => new(a.X * b.X);

    public static float Sum(Float1 a) => a.X;

    public static int Larger(int largest, Float1 a) => ScaleOfGrid.Larger(largest, a.X);

    public static Float1 Kept(ulong key, ulong first, int at, uint threshold, float scale) =>
        new(DropoutMask.Factor(key, first + (ulong)at, threshold, scale));
}
