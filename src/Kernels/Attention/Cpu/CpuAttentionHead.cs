namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>CPU addresses of <see cref="TokenRows"/>.</summary>
internal unsafe struct CpuTokenRows(TokenRows rows)
{
    public float* Data = rows.Data.Floats;
    public long BatchStride = rows.BatchStride;
    public long RowStride = rows.RowStride;

    /// <summary>The rows of one head of one picture.</summary>
    public readonly CpuHeadRows Head(int batch, int head, int dimension) =>
        new() { Data = Data + (batch * BatchStride) + ((long)head * dimension), Stride = RowStride };
}

/// <summary>Rows of one head: row r starts at Data + r * Stride.</summary>
internal unsafe struct CpuHeadRows
{
    public float* Data;
    public long Stride;
}

/// <summary>What the tiles of one head of one picture need to know; the gradients are set in a backward only.</summary>
internal unsafe struct CpuAttentionHead
{
    public CpuHeadRows Q;
    public CpuHeadRows K;
    public CpuHeadRows V;
    public CpuHeadRows O;
    public CpuHeadRows Dout;
    public CpuHeadRows Dq;
    public CpuHeadRows Dk;
    public CpuHeadRows Dv;

    /// <summary>Per query row.</summary>
    public float* LogSumExp;

    /// <summary>Row sums of dOut * o, per query row.</summary>
    public float* Delta;

    public int Dimension;
    public float Scale;
    public bool Causal;
    public CpuWeightDropout Dropout;
}

/// <summary>Dropout of the attention weights of one head: weight (query, key) is element Base + query * Keys + key of the mask.</summary>
internal struct CpuWeightDropout
{
    public bool Active;
    public ulong Key;
    public ulong Base;
    public ulong Keys;
    public uint Threshold;
    public float KeptScale;

    /// <summary>0 or 1 / (1 - p).</summary>
    public readonly float Factor(int query, int key) => DropoutMask.Factor(Key, Base + ((ulong)query * Keys) + (ulong)key, Threshold, KeptScale);
}
