using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Kernels.RouteAttention;

/// <summary>Sizes of a route attention (method.md 5): the GridHeight x GridWidth tokens are cut into at most S x S windows.</summary>
internal readonly record struct RouteSizes
{
    /// <summary>
    /// Creates the sizes; S is the number of windows along an edge, topK how many windows each window attends to (cut to the number that exist).
    /// </summary>
    public RouteSizes(int batch, int heads, int headDim, int gridHeight, int gridWidth, int s, int topK, float scale)
    {
        Batch = batch;
        Heads = heads;
        HeadDim = headDim;
        GridHeight = gridHeight;
        GridWidth = gridWidth;
        WindowHeight = (gridHeight + s - 1) / s;
        WindowWidth = (gridWidth + s - 1) / s;
        WindowRows = (gridHeight + WindowHeight - 1) / WindowHeight;
        WindowColumns = (gridWidth + WindowWidth - 1) / WindowWidth;
        TopK = Math.Min(topK, WindowRows * WindowColumns);
        Scale = scale;
    }

    public int Batch { get; }

    public int Heads { get; }

    public int HeadDim { get; }

    public int GridHeight { get; }

    public int GridWidth { get; }

    /// <summary>ceil(GridHeight / S); the last row of windows may be lower.</summary>
    public int WindowHeight { get; }

    /// <summary>ceil(GridWidth / S); the last column of windows may be narrower.</summary>
    public int WindowWidth { get; }

    /// <summary>Non-empty windows down.</summary>
    public int WindowRows { get; }

    /// <summary>Non-empty windows across.</summary>
    public int WindowColumns { get; }

    /// <summary>Windows that each window attends to.</summary>
    public int TopK { get; }

    /// <summary>Factor of the scores before the softmax.</summary>
    public float Scale { get; }

    /// <summary>All windows.</summary>
    public int Windows => WindowRows * WindowColumns;

    /// <summary>All tokens.</summary>
    public int Tokens => GridHeight * GridWidth;
}

/// <summary>
/// Route self-attention: each window attends to the tokens of its top-k windows, chosen by the affinity of mean-pooled queries and keys. K and V
/// are never copied: kernels walk their rows through the table, with an online softmax.
/// </summary>
internal interface IRouteAttentionKernels
{
    /// <summary>
    /// Means of q and k over each window (full width, no gradient), affinity q_r k_r^T, the top-k windows of each window sorted by descending
    /// affinity with ties to the lower index -> table int32 [B, Windows, TopK]. scratch holds 2 * B * Windows * Heads * HeadDim floats.
    /// </summary>
    void Route(in RouteSizes sizes, TokenRows q, TokenRows k, View table, View scratch);

    /// <summary>
    /// The inverse list of a table: for each window the query windows that chose it, ascending. offsets int32 [B, Windows + 1], list int32 [B,
    /// Windows * TopK].
    /// </summary>
    void Invert(in RouteSizes sizes, View table, View offsets, View list);

    /// <summary>o per head; logSumExp [B, H, Tokens] is kept for the backward.</summary>
    void Forward(in RouteSizes sizes, View table, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp);

    /// <summary>
    /// Overwrites dq (walking the table) and dk, dv (walking the inverse list): no atomics, deterministic. scratch holds B * H * Tokens floats.
    /// </summary>
    void Backward(
        in RouteSizes sizes,
        View table,
        View offsets,
        View list,
        TokenRows q,
        TokenRows k,
        TokenRows v,
        TokenRows o,
        View logSumExp,
        TokenRows dOut,
        TokenRows dq,
        TokenRows dk,
        TokenRows dv,
        View scratch);
}
