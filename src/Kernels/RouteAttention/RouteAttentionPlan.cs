using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention;

/// <summary>
/// Every choice of a route attention that is not plain attention's (<see cref="AttentionPlan"/>). The routing itself stays in float32 everywhere:
/// which windows are chosen must not depend on the precision.
/// </summary>
internal static class RouteAttentionPlan
{
    /// <summary>Whether a route attention goes to the tensor cores.</summary>
    internal static bool TakesTensorCores(Precision precision, in RouteSizes sizes, params ReadOnlySpan<TokenRows> written) =>
        precision.HalfType() is not null && sizes is { HeadDim: AttentionPlan.TensorCoreHeadDim, Scale: > 0 } && AttentionPlan.HavePairs(written);

    /// <summary>Own tokens of a portable GPU tile: a window's, or 32 of them.</summary>
    internal static int GpuTileRows(in RouteSizes sizes) => AttentionPlan.GpuTileRows(sizes.WindowHeight * sizes.WindowWidth);
}
