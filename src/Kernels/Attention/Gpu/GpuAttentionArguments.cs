using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>Token rows on the GPU: component d of head h of token n of picture b is at b * BatchStride + n * RowStride + h * HeadDim + d.</summary>
internal readonly struct GpuTokenRows(ArrayView<float> data, int batchStride, int rowStride)
{
    internal readonly ArrayView<float> Data = data;
    internal readonly int BatchStride = batchStride;
    internal readonly int RowStride = rowStride;
}

/// <summary>
/// Arguments of all attention kernels; a route's fields are unused by plain attention. Views that a kernel does not use may be any.
/// </summary>
internal readonly struct GpuAttentionArguments
{
    internal GpuTokenRows Q { get; init; }

    internal GpuTokenRows K { get; init; }

    internal GpuTokenRows V { get; init; }

    internal GpuTokenRows O { get; init; }

    internal GpuTokenRows Dout { get; init; }

    internal GpuTokenRows Dq { get; init; }

    internal GpuTokenRows Dk { get; init; }

    internal GpuTokenRows Dv { get; init; }

    /// <summary>[B, H, Queries].</summary>
    internal ArrayView<float> LogSumExp { get; init; }

    /// <summary>[B, H, Queries]: row sums of dOut * o.</summary>
    internal ArrayView<float> Delta { get; init; }

    /// <summary>Windows chosen by each window, [B, Windows, TopK].</summary>
    internal ArrayView<int> Table { get; init; }

    /// <summary>Where each window's choosers start in the list, [B, Windows + 1].</summary>
    internal ArrayView<int> Offsets { get; init; }

    /// <summary>Windows that chose each window, [B, Windows * TopK].</summary>
    internal ArrayView<int> List { get; init; }

    internal int Batch { get; init; }

    internal int Heads { get; init; }

    internal int Queries { get; init; }

    internal int Keys { get; init; }

    internal int HeadDim { get; init; }

    /// <summary>ceil(HeadDim / 64): groups of output columns, and steps in which scores are summed.</summary>
    internal int Chunks { get; init; }

    /// <summary>Tiles of own tokens in a head.</summary>
    internal int Tiles { get; init; }

    /// <summary>Whether every row starts at a multiple of four floats and HeadDim is one.</summary>
    internal int Vector { get; init; }

    internal int Causal { get; init; }

    /// <summary>
    /// Keys that all queries see, before those of the queries' own tokens; 0 but for causal attention of sequences that begin alike.
    /// </summary>
    internal int Shared { get; init; }

    /// <summary>Queries of a sequence: all of them, but for sequences that begin alike.</summary>
    internal int Each { get; init; }

    internal float Scale { get; init; }

    /// <summary>Dropout: 0 for none.</summary>
    internal int Drops { get; init; }

    internal uint Threshold { get; init; }

    internal float KeptScale { get; init; }

    /// <summary>What <see cref="Drawn"/> draws from.</summary>
    internal GpuDropoutKey Key { get; init; }

    /// <summary>The mask's key, in kernels that have called <see cref="Drawn"/>.</summary>
    internal ulong DropoutKey { get; init; }

    /// <summary>Place of the first weight in the mask.</summary>
    internal ulong DropoutFirst { get; init; }

    internal int GridHeight { get; init; }

    internal int GridWidth { get; init; }

    internal int WindowHeight { get; init; }

    internal int WindowWidth { get; init; }

    internal int WindowColumns { get; init; }

    internal int Windows { get; init; }

    internal int TopK { get; init; }

    /// <summary>Tiles that a full window is cut into.</summary>
    internal int TilesPerWindow { get; init; }

    /// <summary>
    /// Fills in the inputs and outputs of the forward; HeadDim must be set. Views of the backward and of routes become the forward's.
    /// </summary>
    internal GpuAttentionArguments With(TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var values = Rows(q, Batch);
        var unused = logSumExp.As(DType.Int32).GpuInts;
        return this with
        {
            Q = values,
            K = Rows(k, Batch),
            V = Rows(v, Batch),
            O = Rows(o, Batch),
            Dout = values,
            Dq = values,
            Dk = values,
            Dv = values,
            LogSumExp = logSumExp.GpuFloats,
            Delta = logSumExp.GpuFloats,
            Table = unused,
            Offsets = unused,
            List = unused,
            Key = Key.State.IsValid ? Key : GpuDropoutKey.None(unused),
            Chunks = (HeadDim + GpuAttentionTile.Columns - 1) / GpuAttentionTile.Columns,
            Vector = HeadDim % 4 == 0 && IsAligned(q) && IsAligned(k) && IsAligned(v) && IsAligned(o) ? 1 : 0,
        };
    }

    /// <summary>In a kernel, at its beginning: the arguments with the mask's key, which is drawn once and not for every weight.</summary>
    internal static GpuAttentionArguments Drawn(GpuAttentionArguments a) => a.Drops != 0 ? a with { DropoutKey = GpuDropoutKey.Draw(a.Key, 0) } : a;

    /// <summary>Fills in the rest for the backward.</summary>
    internal GpuAttentionArguments WithGradients(TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View delta) => this with
    {
        Dout = Rows(dOut, Batch),
        Dq = Rows(dq, Batch),
        Dk = Rows(dk, Batch),
        Dv = Rows(dv, Batch),
        Delta = delta.GpuFloats,
        Vector = Vector != 0 && IsAligned(dOut) && IsAligned(dq) && IsAligned(dk) && IsAligned(dv) ? 1 : 0,
    };

    /// <summary>Rows as kernels see them.</summary>
    /// <exception cref="ArgumentException">They span 2^31 elements or more.</exception>
    internal static GpuTokenRows Rows(TokenRows rows, int batch) => batch * rows.BatchStride <= int.MaxValue
        ? new(rows.Data.GpuFloats, (int)rows.BatchStride, rows.RowStride)
        : throw new ExtentException($"attention: {batch} batches of {rows.BatchStride} elements, expected fewer than 2^31 together");

    private static bool IsAligned(TokenRows rows) => rows.Data.Offset % 4 == 0 && rows.BatchStride % 4 == 0 && rows.RowStride % 4 == 0;
}
