using ILGPU;

namespace Ldvc.Kernels.Labels.Gpu;

/// <summary>How a kernel reads and writes labels. Views are of bytes in either case, so that a kernel's arguments are one type.</summary>
internal interface IGpuLabels
{
    /// <summary>The label at a pixel.</summary>
    static abstract int At(ArrayView<byte> labels, int pixel);

    /// <summary>Writes one.</summary>
    static abstract void Set(ArrayView<byte> labels, int pixel, int label);
}

/// <summary>A byte a pixel.</summary>
internal readonly struct ByteLabels : IGpuLabels
{
    public static int At(ArrayView<byte> labels, int pixel) => labels[pixel];

    public static void Set(ArrayView<byte> labels, int pixel, int label) => labels[pixel] = (byte)label;
}

/// <summary>A 32-bit integer a pixel.</summary>
internal readonly struct WideLabels : IGpuLabels
{
    public static int At(ArrayView<byte> labels, int pixel) => labels.Cast<int>()[pixel];

    public static void Set(ArrayView<byte> labels, int pixel, int label) => labels.Cast<int>()[pixel] = label;
}
