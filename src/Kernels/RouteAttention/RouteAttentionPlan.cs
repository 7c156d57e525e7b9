using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention;

/// <summary>
/// Every choice of a route attention that is not plain attention's (<see cref="AttentionPlan"/>). The routing itself stays in float32 everywhere:
/// which windows are chosen must not depend on the precision.
/// </summary>
internal static class RouteAttentionPlan
{
    /// <summary>Tokens of a window that the CPU adds to a mean at a time.</summary>
    internal const int CpuMeanTokens = 64;

    /// <summary>Windows that a tile on the CPU may attend to before their sorted list leaves the stack.</summary>
    internal const int CpuStackWindows = 4096;

    /// <summary>Threads of a GPU's group that makes or inverts the routing table.</summary>
    internal const int GpuTableThreads = 128;

    /// <summary>Threads of such a group that sum one affinity.</summary>
    internal const int GpuAffinityThreads = 16;

    /// <summary>Affinities that lie in shared memory at a time: two a thread.</summary>
    internal const int GpuAffinities = 2 * GpuTableThreads;

    /// <summary>Loads of a thread that are under way at a time: one after the other, each would wait for the second-level cache.</summary>
    internal const int GpuAhead = 4;

    /// <summary>Warps of a group of the tensor cores, a head each.</summary>
    internal const int TensorCoreWarps = 2;

    /// <summary>Groups of the tensor cores that should fit a multiprocessor at once.</summary>
    internal const int TensorCoreGroups = 4;

    /// <summary>Whether a route attention goes to the tensor cores.</summary>
    internal static bool TakesTensorCores(Precision precision, in RouteSizes sizes, params ReadOnlySpan<TokenRows> written) =>
        precision.HalfType() is not null && sizes is { HeadDim: AttentionPlan.TensorCoreHeadDim, Scale: > 0 } && AttentionPlan.HavePairs(written);

    /// <summary>Own tokens of a portable GPU tile: a window's, or 32 of them.</summary>
    internal static int GpuTileRows(in RouteSizes sizes) => AttentionPlan.GpuTileRows(sizes.WindowHeight * sizes.WindowWidth);
}
