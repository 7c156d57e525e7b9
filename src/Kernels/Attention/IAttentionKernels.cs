using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention;

/// <summary>
/// Rows of a token matrix inside a larger one: element (batch b, token n, head h, component d) is at Data[b * BatchStride + n * RowStride +
/// h * HeadDim + d]. So q, k and v can be three column blocks of one packed projection [B, N, 3 * width].
/// </summary>
internal readonly record struct TokenRows(View Data, long BatchStride, int RowStride);

/// <summary>Sizes of a multi-head attention. Scale multiplies the scores before the softmax.</summary>
/// <param name="Batch">B.</param>
/// <param name="Heads">H.</param>
/// <param name="Queries">Query tokens a picture.</param>
/// <param name="Keys">Key tokens a picture.</param>
/// <param name="HeadDim">Components a head, any value from 1 up (64 in CLIP, E/8 in the decoder).</param>
/// <param name="Scale">Usually 1 / sqrt(HeadDim).</param>
/// <param name="Causal">Query i sees keys 0..i only (requires Queries + Shared == Keys).</param>
/// <param name="Dropout">Probability of dropping an attention weight after the softmax; 0 for none. Kept weights are scaled by 1 / (1 - p).</param>
/// <param name="DropoutKey">Key of the dropout mask; weight (b, h, i, j) uses element DropoutFirst + ((b * H + h) * Queries + i) * Keys + j of
/// <see cref="Ldvc.Kernels.DropoutMask"/>.</param>
/// <param name="DropoutFirst">Place of the first weight in the mask: B may be a part of a larger batch.</param>
/// <param name="Shared">
/// For causal attention on a GPU of sequences that begin alike, laid out as one (Batch is 1): so many keys come first, which all queries see; then
/// come as many keys as there are queries, and query i sees those of its own sequence up to its own, key Shared + i.
/// </param>
/// <param name="Each">Queries of each such sequence; 0 where there is one.</param>
internal readonly record struct AttentionSizes(
    int Batch,
    int Heads,
    int Queries,
    int Keys,
    int HeadDim,
    float Scale,
    bool Causal,
    float Dropout,
    DropoutKey DropoutKey,
    ulong DropoutFirst = 0,
    int Shared = 0,
    int Each = 0);

/// <summary>Softmax attention that never stores the Queries x Keys matrix: keys are walked in tiles with an online softmax.</summary>
internal interface IAttentionKernels
{
    /// <summary>o = dropout(softmax(scale q k^T)) v per head; logSumExp [B, H, Queries] is kept for the backward.</summary>
    void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp);

    /// <summary>
    /// Overwrites dq, dk, dv (all three always given, same layouts allowed as q, k, v). o and d_o (called dOut) as in the forward; scratch holds
    /// B * H * Queries floats (the row sums of dOut * o). Deterministic.
    /// </summary>
    void Backward(
        in AttentionSizes sizes,
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
