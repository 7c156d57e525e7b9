using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention.Cpu;

internal unsafe struct CpuAttentionArguments
{
    public CpuTokenRows Q;
    public CpuTokenRows K;
    public CpuTokenRows V;
    public CpuTokenRows O;
    public CpuTokenRows Dout;
    public CpuTokenRows Dq;
    public CpuTokenRows Dk;
    public CpuTokenRows Dv;
    public float* LogSumExp;
    public float* Delta;
    public AttentionSizes Sizes;

    /// <summary>Tiles that each head of each picture is cut into.</summary>
    public int TilesPerHead;

    public readonly CpuAttentionHead Head(int index)
    {
        int batch = index / Sizes.Heads, head = index % Sizes.Heads, d = Sizes.HeadDim;
        return new CpuAttentionHead
        {
            Q = Q.Head(batch, head, d),
            K = K.Head(batch, head, d),
            V = V.Head(batch, head, d),
            O = O.Head(batch, head, d),
            Dout = Dout.Head(batch, head, d),
            Dq = Dq.Head(batch, head, d),
            Dk = Dk.Head(batch, head, d),
            Dv = Dv.Head(batch, head, d),
            LogSumExp = LogSumExp + ((long)index * Sizes.Queries),
            Delta = Delta + ((long)index * Sizes.Queries),
            Dimension = d,
            Scale = Sizes.Scale,
            Causal = Sizes.Causal,
            Dropout = new CpuWeightDropout
            {
                Active = Sizes.Dropout > 0f,
                Key = Sizes.DropoutKey.Value,
                Base = Sizes.DropoutFirst + ((ulong)index * (ulong)Sizes.Queries * (ulong)Sizes.Keys),
                Keys = (ulong)Sizes.Keys,
                Threshold = DropoutMask.Threshold(Sizes.Dropout),
                KeptScale = 1f / (1f - Sizes.Dropout),
            },
        };
    }
}

/// <summary>Plain attention's tasks: a tile of queries or of keys of one head, or a whole head.</summary>
internal static unsafe class CpuAttentionTasks<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int ForwardTile = AttentionPlan.CpuForwardTile;
    private const int BackwardTile = AttentionPlan.CpuBackwardTile;

    [SkipLocalsInit]
    internal static void Forward(CpuAttentionArguments* a, int tile, int worker)
    {
        var head = a->Head(tile / a->TilesPerHead);
        int* rows = stackalloc int[ForwardTile];
        int first = tile % a->TilesPerHead * ForwardTile, count = Range(rows, first, ForwardTile, a->Sizes.Queries);
        CpuAttentionForward<S, V>.Run(&head, rows, count, new TokenRange(0, head.Causal ? first + count : a->Sizes.Keys));
    }

    internal static void Delta(CpuAttentionArguments* a, int tile, int worker)
    {
        var head = a->Head(tile);
        CpuAttentionBackward<S, V>.Delta(&head, 0, a->Sizes.Queries);
    }

    [SkipLocalsInit]
    internal static void BackwardQueries(CpuAttentionArguments* a, int tile, int worker)
    {
        var head = a->Head(tile / a->TilesPerHead);
        int* rows = stackalloc int[BackwardTile];
        int first = tile % a->TilesPerHead * BackwardTile, count = Range(rows, first, BackwardTile, a->Sizes.Queries);
        CpuAttentionBackward<S, V>.Queries(&head, rows, count, new TokenRange(0, head.Causal ? first + count : a->Sizes.Keys));
    }

    internal static void BackwardKeys(CpuAttentionArguments* a, int tile, int worker)
    {
        var head = a->Head(tile / a->TilesPerHead);
        BackwardKeyTile(a, &head, tile % a->TilesPerHead * BackwardTile, false);
    }

    /// <summary>All three gradients of one head: scores and their gradients are computed once instead of twice.</summary>
    internal static void BackwardHead(CpuAttentionArguments* a, int tile, int worker)
    {
        var head = a->Head(tile);
        for (int row = 0; row < a->Sizes.Queries; row++)
        {
            new Span<float>(head.Dq.Data + (row * head.Dq.Stride), head.Dimension).Clear();
        }

        for (int first = 0; first < a->Sizes.Keys; first += BackwardTile)
        {
            BackwardKeyTile(a, &head, first, true);
        }
    }

    [SkipLocalsInit]
    private static void BackwardKeyTile(CpuAttentionArguments* a, CpuAttentionHead* head, int first, bool addDq)
    {
        int* rows = stackalloc int[BackwardTile];
        int count = Range(rows, first, BackwardTile, a->Sizes.Keys);
        CpuAttentionBackward<S, V>.Keys(head, rows, count, new TokenRange(head->Causal ? first : 0, a->Sizes.Queries), addDq);
    }

    private static int Range(int* rows, int first, int tile, int end)
    {
        int count = Math.Min(tile, end - first);
        for (int i = 0; i < count; i++)
        {
            rows[i] = first + i;
        }

        return count;
    }
}
