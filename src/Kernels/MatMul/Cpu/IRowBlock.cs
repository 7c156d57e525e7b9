using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>The micro-kernel: `Rows` rows of A times one panel of two vectors of B, accumulated in registers over a K block.</summary>
internal interface IRowBlock
{
    /// <summary>Rows of C in registers.</summary>
    static abstract int Rows { get; }

    /// <summary>
    /// tile [Rows, 2 vectors] = or += a b, for one K block. Element (i, k) of A is at a[i * row + k * step], the two vectors of B for k are at
    /// b + k * width.
    /// </summary>
    static abstract unsafe void Multiply<S, V>(int kc, float* a, nint row, nint step, float* b, nint width, float* tile, bool add)
        where S : ISimd<V>
        where V : struct;
}
