namespace Ldvc.Tensors.Distributed;

/// <summary>What every group refuses alike, so that a program that runs in one process also runs in several.</summary>
internal static class GroupChecks
{
    /// <summary>Refuses a root that is no rank.</summary>
    internal static void Root(int root, int size)
    {
        if ((uint)root >= (uint)size)
        {
            throw new ArgumentOutOfRangeException(nameof(root), $"root: expected a rank of 0 .. {size - 1}, got {root}");
        }
    }

    /// <summary>Refuses a tensor whose elements cannot be added, or whose values were given back.</summary>
    internal static void Summable(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.DType is not (DType.Float32 or DType.BFloat16 or DType.Float16))
        {
            throw new ArgumentException($"sum over processes: expected float32, bf16 or fp16, got {values}", nameof(values));
        }

        _ = values.View;
    }
}
