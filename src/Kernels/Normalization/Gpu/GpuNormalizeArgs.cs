using ILGPU;
using Ldvc.Kernels.Gpu;

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

    /// <summary>What dx is added to where it is added to something: dx itself, or laid out like it.</summary>
    internal ArrayView<float> Before { get; init; }

    /// <summary>dx once more in 16 bits, for the kernel that writes it, times Scale's first element where Scaled is 1.</summary>
    internal ArrayView<float> Rounded { get; init; }

    internal ArrayView<float> Scale { get; init; }

    internal int Scaled { get; init; }

    /// <summary>Where numbers that are too large for 16 bits are taken down.</summary>
    internal ArrayView<int> Overflow { get; init; }

    /// <summary>The rows that come before those of x, and their gradient, which is added to.</summary>
    internal ArrayView<float> First { get; init; }

    internal ArrayView<float> FirstDx { get; init; }

    internal int FirstRows { get; init; }

    /// <summary>dy is the sum of so many matrices, each so many packs after the last.</summary>
    internal int Parts { get; init; }

    internal int PartStride { get; init; }

    /// <summary>A branch that is added to x, in the forward; its gradient in the backward.</summary>
    internal ArrayView<float> Branch { get; init; }

    /// <summary>Dropout of the branch: the key, the threshold and what kept elements count.</summary>
    internal GpuDropoutKey Key { get; init; }

    /// <summary>Place of the first element in the mask.</summary>
    internal ulong MaskFirst { get; init; }

    internal uint Threshold { get; init; }

    internal float KeptScale { get; init; }

    /// <summary>1 to add to the branch's gradient.</summary>
    internal int AccumulateBranch { get; init; }

    internal int Columns { get; init; }

    internal int Width { get; init; }

    internal float Epsilon { get; init; }

    /// <summary>1 to add to what was there before.</summary>
    internal int Accumulate { get; init; }
}
