using ILGPU;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Which tokens a work group holds and which it meets. A tile's own tokens are slots 0 .. rows - 1; the others are met at positions Start .. End - 1.
/// Both are token numbers, or -1 where there is none.
/// </summary>
internal interface IGpuTokenWalk
{
    /// <summary>Token of a slot of the tile.</summary>
    static abstract int Own(GpuAttentionArguments a, int tile, int rows, int slot);

    /// <summary>First position; a multiple of the walk's tile.</summary>
    static abstract int Start(GpuAttentionArguments a, int tile, int rows);

    /// <summary>End of the positions.</summary>
    static abstract int End(GpuAttentionArguments a, int batch, int tile, int rows);

    /// <summary>Token at a position below the end.</summary>
    static abstract int Other(GpuAttentionArguments a, int batch, int tile, int rows, int position);
}

/// <summary>
/// Tiles of queries that meet all keys, or those that are not in their future. Of sequences that begin alike these are the shared ones, then those
/// from the first of the tile's first sequence on.
/// </summary>
internal readonly struct GpuKeysWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => (tile * rows) + slot < a.Queries ? (tile * rows) + slot : -1;

    public static int Start(GpuAttentionArguments a, int tile, int rows) => 0;

    public static int End(GpuAttentionArguments a, int batch, int tile, int rows) =>
        a.Causal != 0 && (tile + 1) * rows < a.Queries ? a.Shared + ((tile + 1) * rows) - Passed(a, tile, rows) : a.Keys - Passed(a, tile, rows);

    public static int Other(GpuAttentionArguments a, int batch, int tile, int rows, int position) =>
        position < a.Shared ? position : position + Passed(a, tile, rows);

    // Keys of the sequences before the tile's first one.
    private static int Passed(GpuAttentionArguments a, int tile, int rows) => a.Causal != 0 ? (tile * rows) - (tile * rows % a.Each) : 0;
}

/// <summary>Tiles of keys that meet all queries, or those that are not in their past.</summary>
internal readonly struct GpuQueriesWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => (tile * rows) + slot < a.Keys ? (tile * rows) + slot : -1;

    public static int Start(GpuAttentionArguments a, int tile, int rows) =>
        a.Causal != 0 && tile * rows > a.Shared ? ((tile * rows) - a.Shared) / GpuAttentionTile.Walk * GpuAttentionTile.Walk : 0;

    // Shared keys are met by all queries, others by those of their own sequence.
    public static int End(GpuAttentionArguments a, int batch, int tile, int rows)
    {
        int last = IntrinsicMath.Min(a.Keys, (tile + 1) * rows) - 1 - a.Shared;
        return a.Causal != 0 && tile * rows >= a.Shared ? IntrinsicMath.Min(a.Queries, ((last / a.Each) + 1) * a.Each) : a.Queries;
    }

    public static int Other(GpuAttentionArguments a, int batch, int tile, int rows, int position) => position;
}
