namespace Ldvc.Kernels.Simd;

/// <summary>
/// One kernel for all vector widths: an empty struct whose only method computes a tile. Because it is a struct and the method is static and generic,
/// each (kernel, width) is machine code of its own, without virtual calls.
/// </summary>
/// <typeparam name="TArguments">Pointers and sizes; they live on the caller's stack while the tiles run.</typeparam>
internal interface ITileKernel<TArguments>
    where TArguments : unmanaged
{
    /// <summary>Computes one tile; worker is the thread's number among those that run at the same time.</summary>
    static abstract unsafe void Tile<S, V>(TArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct;
}
