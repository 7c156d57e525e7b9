using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>The micro-kernel: `Rows` rows of packed A times one panel of two vectors of packed B, accumulated in registers over a K block.</summary>
internal interface IRowBlock
{
    /// <summary>Rows of C in registers.</summary>
    static abstract int Rows { get; }

    /// <summary>c = or += alpha * a b.</summary>
    static abstract unsafe void Multiply<S, V>(int kc, float* a, float* b, float* c, int ldc, float alpha, bool add)
        where S : ISimd<V>
        where V : struct;
}
