using Ldvc.Tensors.Distributed;

namespace Ldvc.Distributed;

/// <summary>
/// How numbered work is dealt out to the processes of a job: one to each in turn, so that a list ordered by size or kind is shared evenly.
/// </summary>
internal static class Deal
{
    /// <summary>The numbers below count that are this process's, in ascending order.</summary>
    internal static IEnumerable<int> Of(IProcessGroup group, int count)
    {
        for (int i = group.Rank; i < count; i += group.Size)
        {
            yield return i;
        }
    }
}
