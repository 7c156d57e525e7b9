namespace Ldvc.Kernels.MatMul;

/// <summary>
/// The shapes of a product's tiles on a GPU, which <see cref="MatMulPlan"/> chooses between. The kernels' inner loops are written out for them.
/// </summary>
internal static class MatMulTiles
{
    /// <summary>Threads of a portable tile, large or small, as 16 x 16.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Steps of the sum in a stage of a portable tile.</summary>
    internal const int GpuDepth = 16;

    /// <summary>Groups of portable tiles that should fit a multiprocessor at once.</summary>
    internal const int GpuGroups = 2;

    /// <summary>Threads of a group that adds up the parts of a product, four results each.</summary>
    internal const int SplitSumThreads = 256;

    /// <summary>Stages of the tensor cores' pipeline: 48 KB for the large tile, all that a group gets without asking the driver.</summary>
    internal const int TensorCoreStages = 3;

    /// <summary>Chunks of 16 bytes along the sum in a stage of the tensor cores.</summary>
    internal const int TensorCoreChunks = 4;

    /// <summary>Rows of C of one mma.</summary>
    internal const int MmaRows = 16;

    /// <summary>Columns of C of each of the tensor cores' warps.</summary>
    internal const int WarpColumns = 32;

    /// <summary>Rows of C of each of the four warps of a small tile.</summary>
    internal const int SmallWarpRows = 32;

    /// <summary>Rows of C of each of the eight warps of a large tile.</summary>
    internal const int LargeWarpRows = 64;

    /// <summary>Threads of a small tile of the tensor cores.</summary>
    internal const int SmallThreads = 32 * (MatMulPlan.SmallEdge / SmallWarpRows) * (MatMulPlan.SmallEdge / WarpColumns);

    /// <summary>Threads of a large tile of the tensor cores.</summary>
    internal const int LargeThreads = 32 * (MatMulPlan.LargeEdge / LargeWarpRows) * (MatMulPlan.LargeEdge / WarpColumns);

    /// <summary>Groups of small tiles of the tensor cores that should fit a multiprocessor at once.</summary>
    internal const int SmallGroups = 4;

    /// <summary>Groups of large tiles of the tensor cores that should fit a multiprocessor at once.</summary>
    internal const int LargeGroups = 2;

    /// <summary>Rows of a tensor-core tile that go through shared memory at a time: those of the large tile do not fit at once.</summary>
    internal const int EpilogueRows = 64;
}
