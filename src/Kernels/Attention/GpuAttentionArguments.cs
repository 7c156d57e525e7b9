using ILGPU;

namespace Ldvc.Kernels.Attention;

/// <summary>Token rows on the GPU: component d of head h of token n of picture b is at b * BatchStride + n * RowStride + h * HeadDim + d.</summary>
internal readonly struct GpuTokenRows(ArrayView<float> data, int batchStride, int rowStride)
{
    public readonly ArrayView<float> Data = data;
    public readonly int BatchStride = batchStride;
    public readonly int RowStride = rowStride;
}

/// <summary>Arguments of all attention kernels; a route's fields are unused by plain attention. Views that a kernel does not use may be any.</summary>
internal struct GpuAttentionArguments
{
    public GpuTokenRows Q;
    public GpuTokenRows K;
    public GpuTokenRows V;
    public GpuTokenRows O;
    public GpuTokenRows Dout;
    public GpuTokenRows Dq;
    public GpuTokenRows Dk;
    public GpuTokenRows Dv;

    /// <summary>[B, H, Queries].</summary>
    public ArrayView<float> LogSumExp;

    /// <summary>[B, H, Queries]: row sums of dOut * o.</summary>
    public ArrayView<float> Delta;

    /// <summary>Windows chosen by each window, [B, Windows, TopK].</summary>
    public ArrayView<int> Table;

    /// <summary>Where each window's choosers start in the list, [B, Windows + 1].</summary>
    public ArrayView<int> Offsets;

    /// <summary>Windows that chose each window, [B, Windows * TopK].</summary>
    public ArrayView<int> List;

    public int Batch;
    public int Heads;
    public int Queries;
    public int Keys;
    public int HeadDim;

    /// <summary>ceil(HeadDim / 64): groups of output columns, and steps in which scores are summed.</summary>
    public int Chunks;

    /// <summary>Tiles of own tokens in a head.</summary>
    public int Tiles;

    /// <summary>Whether every row starts at a multiple of four floats and HeadDim is one.</summary>
    public int Vector;
    public int Causal;
    public float Scale;

    /// <summary>Dropout: 0 for none.</summary>
    public int Drops;
    public uint Threshold;
    public float KeptScale;
    public ulong DropoutKey;

    public int GridHeight;
    public int GridWidth;
    public int WindowHeight;
    public int WindowWidth;
    public int WindowColumns;
    public int Windows;
    public int TopK;

    /// <summary>Tiles that a full window is cut into.</summary>
    public int TilesPerWindow;
}
