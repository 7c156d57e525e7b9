using System.Runtime.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Simd;

/// <summary>The only place that turns <see cref="SimdLevel.Bits"/> into code: kernels are written once, for any width.</summary>
internal static unsafe class SimdDispatch
{
    /// <summary>Runs a call with the width in use.</summary>
    internal static void Run<TCall>(TCall call)
        where TCall : struct, ISimdCall, allows ref struct
    {
        switch (SimdLevel.Bits)
        {
            case 512: call.Run<Simd512, Vector512<float>>(); break;
            case 256: call.Run<Simd256, Vector256<float>>(); break;
            default: call.Run<Simd128, Vector128<float>>(); break;
        }
    }

    /// <summary>
    /// Hands out tiles 0..tiles-1 of a kernel to the threads, with the width in use, and returns when all are done. Allocates nothing.
    /// </summary>
    internal static void For<TKernel, TArguments>(CpuThreads threads, int tiles, TArguments* arguments)
        where TKernel : struct, ITileKernel<TArguments>
        where TArguments : unmanaged =>
        Run(new TileLoop<TKernel, TArguments>(threads, tiles, arguments));

    private readonly struct TileLoop<TKernel, TArguments>(CpuThreads threads, int tiles, TArguments* arguments) : ISimdCall
        where TKernel : struct, ITileKernel<TArguments>
        where TArguments : unmanaged
    {
        public void Run<S, V>()
            where S : ISimd<V>
            where V : struct =>
            threads.For(tiles, arguments, &TKernel.Tile<S, V>);
    }
}
