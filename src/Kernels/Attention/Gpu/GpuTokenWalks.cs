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
    static abstract int Other(GpuAttentionArguments a, int batch, int tile, int position);
}

/// <summary>Tiles of queries that meet all keys, or those that are not in their future.</summary>
internal readonly struct GpuKeysWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => (tile * rows) + slot < a.Queries ? (tile * rows) + slot : -1;

    public static int Start(GpuAttentionArguments a, int tile, int rows) => 0;

    public static int End(GpuAttentionArguments a, int batch, int tile, int rows) => a.Causal != 0 && (tile + 1) * rows < a.Keys ? (tile + 1) * rows : a.Keys;

    public static int Other(GpuAttentionArguments a, int batch, int tile, int position) => position;
}

/// <summary>Tiles of keys that meet all queries, or those that are not in their past.</summary>
internal readonly struct GpuQueriesWalk : IGpuTokenWalk
{
    public static int Own(GpuAttentionArguments a, int tile, int rows, int slot) => (tile * rows) + slot < a.Keys ? (tile * rows) + slot : -1;

    public static int Start(GpuAttentionArguments a, int tile, int rows) => a.Causal != 0 ? tile * rows / GpuAttentionTile.Walk * GpuAttentionTile.Walk : 0;

    public static int End(GpuAttentionArguments a, int batch, int tile, int rows) => a.Queries;

    public static int Other(GpuAttentionArguments a, int batch, int tile, int position) => position;
}
