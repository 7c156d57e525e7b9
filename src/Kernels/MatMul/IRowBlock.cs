using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>The micro-kernel: `Rows` rows of packed A times one panel of two vectors of packed B, accumulated in registers over a K block.</summary>
internal interface IRowBlock
{
    /// <summary>Rows of C in registers.</summary>
    static abstract int Rows { get; }

    /// <summary>tile [Rows, 2 vectors] = or += a b, for one K block.</summary>
    static abstract unsafe void Multiply<S, V>(int kc, float* a, float* b, float* tile, bool add)
        where S : ISimd<V>
        where V : struct;
}
