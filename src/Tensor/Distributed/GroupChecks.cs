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

    /// <summary>Refuses a tensor that has no float32 values, or whose values were given back.</summary>
    internal static void Summable(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.DType != DType.Float32)
        {
            throw new ArgumentException($"sum over processes: expected float32, got {values}", nameof(values));
        }

        _ = values.View;
    }
}
