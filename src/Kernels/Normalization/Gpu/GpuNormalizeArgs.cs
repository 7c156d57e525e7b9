using ILGPU;

namespace Ldvc.Kernels.Normalization.Gpu;

/// <summary>Arguments of the row-wise normalisations; Columns counts packs of the kernel's type, Width floats.</summary>
internal readonly struct NormalizeArgs
{
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Gamma { get; init; }

    internal ArrayView<float> Beta { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal ArrayView<float> Mean { get; init; }

    /// <summary>1 / standard deviation or 1 / length of each row.</summary>
    internal ArrayView<float> Inverse { get; init; }

    internal ArrayView<float> Dy { get; init; }

    internal ArrayView<float> Dx { get; init; }

    internal int Columns { get; init; }

    internal int Width { get; init; }

    internal float Epsilon { get; init; }

    /// <summary>1 to add to dx.</summary>
    internal int Accumulate { get; init; }
}
