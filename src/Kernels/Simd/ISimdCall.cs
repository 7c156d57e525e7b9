namespace Ldvc.Kernels.Simd;

/// <summary>
/// A call that is compiled once for every vector width: a struct that holds its own arguments. <see cref="SimdDispatch.Run"/> picks the width.
/// Calls that hand out one set of tiles need only an <see cref="ITileKernel{TArguments}"/>.
/// </summary>
internal interface ISimdCall
{
    /// <summary>Runs the call with vectors <typeparamref name="V"/> and their instructions <typeparamref name="S"/>.</summary>
    void Run<S, V>()
        where S : ISimd<V>
        where V : struct;
}
