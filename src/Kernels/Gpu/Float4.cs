namespace Ldvc.Kernels.Gpu;

/// <summary>Four floats moved by one 16-byte load or store; kernels take views of it where addresses are multiples of 16 bytes.</summary>
internal struct Float4
{
    internal float X;
    internal float Y;
    internal float Z;
    internal float W;

    internal Float4(float x, float y, float z, float w) => (X, Y, Z, W) = (x, y, z, w);

    /// <summary>Four times the same.</summary>
    internal Float4(float value) => (X, Y, Z, W) = (value, value, value, value);
}
