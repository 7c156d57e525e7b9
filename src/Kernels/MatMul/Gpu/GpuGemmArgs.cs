using ILGPU;

namespace Ldvc.Kernels.MatMul.Gpu;

/// <summary>A <see cref="Gemm"/> as its kernels see it. Absent views are any valid view, with their flag at 0.</summary>
internal readonly struct GemmArgs
{
    internal ArrayView<float> A { get; init; }

    internal ArrayView<float> B { get; init; }

    internal ArrayView<float> C { get; init; }

    internal ArrayView<float> Bias { get; init; }

    internal ArrayView<float> PreActivation { get; init; }

    internal ArrayView<float> Residual { get; init; }

    internal ArrayView<float> ActivationGradientOf { get; init; }

    internal int M { get; init; }

    internal int N { get; init; }

    internal int K { get; init; }

    /// <summary>0, or the steps of the sums that one group takes: group z those from z Part on.</summary>
    internal int Part { get; init; }

    internal int Lda { get; init; }

    internal int Ldb { get; init; }

    internal int Ldc { get; init; }

    internal int StrideA { get; init; }

    internal int StrideB { get; init; }

    internal int StrideC { get; init; }

    internal float Alpha { get; init; }

    internal int Activation { get; init; }

    internal GemmFlags Flags { get; init; }

    /// <summary>Steps of this group's sums.</summary>
    internal static int Depth(in GemmArgs args) => args.Part == 0 ? args.K : Math.Min(args.Part, args.K - (Grid.IdxZ * args.Part));
}

/// <summary>Parts of the epilogue that a product has.</summary>
[Flags]
internal enum GemmFlags
{
    None = 0,
    Accumulate = 1,
    Bias = 2,
    PreActivation = 4,
    Residual = 8,
    ActivationGradient = 16,

    /// <summary>Rows of C start at multiples of 16 bytes and hold a multiple of four columns: stores go four at a time.</summary>
    PackedC = 32,
}
