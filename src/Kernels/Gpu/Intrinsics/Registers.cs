namespace Ldvc.Kernels.Gpu.Intrinsics;

/// <summary>
/// Eight numbers of 16 bits, 16 bytes: what cp.async copies and what a row of an 8 x 8 matrix of ldmatrix holds. The lower index is the lower half.
/// </summary>
internal struct Halves8
{
    public uint X;
    public uint Y;
    public uint Z;
    public uint W;
}

/// <summary>Four 32-bit registers.</summary>
internal struct Registers4
{
    public uint X;
    public uint Y;
    public uint Z;
    public uint W;
}

/// <summary>Four floats of an accumulator of mma: (row, 2 column), (row, 2 column + 1), (row + 8, 2 column), (row + 8, 2 column + 1).</summary>
internal struct Accumulator
{
    public float X;
    public float Y;
    public float Z;
    public float W;
}

/// <summary>Two neighbouring floats, loaded and stored at once.</summary>
internal struct FloatPair
{
    public float X;
    public float Y;
}
