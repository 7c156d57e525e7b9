namespace Ldvc.Data;

/// <summary>One training batch. Dispose gives its buffers back to the loader, which fills them anew: do not touch them afterwards.</summary>
internal sealed class DataBatch : IDisposable
{
    private readonly DataLoader _loader;

    /// <summary>Allocates the buffers once.</summary>
    internal DataBatch(DataLoader loader, int count, int size, LabelMapping mapping)
    {
        _loader = loader;
        Count = count;
        Size = size;
        Images = new float[checked(count * 3 * size * size)];
        int pixels = count * size * size;
        Labels = mapping.IsWide ? [] : new byte[pixels];
        WideLabels = mapping.IsWide ? new int[pixels] : null;
        Unseen = mapping.HasUnseenMask ? new byte[pixels] : null;
        Ids = new string[count];
    }

    /// <summary>B, the number of pictures.</summary>
    public int Count { get; }

    /// <summary>H = W.</summary>
    public int Size { get; }

    /// <summary>[B, 3, H, W], normalised.</summary>
    public float[] Images { get; }

    /// <summary>[B, H, W]: indices of the model's outputs, 255 ignored. Empty where there are wide ones.</summary>
    public byte[] Labels { get; }

    /// <summary>[B, H, W]: the same of data sets with many classes (<see cref="LabelMapping"/>), 65535 ignored; null where bytes hold them.</summary>
    public int[]? WideLabels { get; }

    /// <summary>[B, H, W]: 1 where the ground truth is an unseen class; only in transductive training, else null.</summary>
    public byte[]? Unseen { get; }

    /// <summary>The pictures' ids.</summary>
    public string[] Ids { get; }

    /// <summary>The training iteration this batch belongs to.</summary>
    public long Iteration { get; internal set; }

    /// <summary>Whether the consumer holds it.</summary>
    internal bool IsLent { get; set; }

    /// <summary>Samples still being made.</summary>
    internal int Remaining { get; set; }

    /// <summary>The error of the first sample (by position) that failed.</summary>
    internal Exception? Error { get; set; }

    /// <summary>Position of <see cref="Error"/>.</summary>
    internal int ErrorSlot { get; set; }

    /// <summary>Returns the buffers.</summary>
    public void Dispose() => _loader.Recycle(this);
}
