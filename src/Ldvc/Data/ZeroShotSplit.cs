using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Which train ids have masks in training (seen) and which only at test time (unseen). Together they are all ids, each once, ascending.
/// </summary>
public sealed class ZeroShotSplit
{
    private readonly bool[] _seen;

    /// <summary>Takes both lists in any order; <paramref name="source"/> and the names, if they are given, stand in messages.</summary>
    /// <exception cref="InputException">An id out of range, in both lists, twice in one, or in none; or no seen class.</exception>
    public ZeroShotSplit(int classCount, IEnumerable<int> seen, IEnumerable<int> unseen, string source, IReadOnlyList<string>? names = null)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(unseen);
        ArgumentOutOfRangeException.ThrowIfNegative(classCount);
        string Name(int id) => names is null ? $"class id {id}" : $"class '{names[id]}'";
        ClassCount = classCount;
        Seen = [.. seen.Order()];
        Unseen = [.. unseen.Order()];
        _seen = new bool[classCount];
        var listed = new bool[classCount];
        foreach (int id in Seen.Concat(Unseen))
        {
            if (id < 0 || id >= classCount)
            {
                throw new InputException($"{source}: class id {id} in the split, expected 0 to {classCount - 1}");
            }

            if (listed[id])
            {
                bool overlap = Array.IndexOf(Seen, id) >= 0 && Array.IndexOf(Unseen, id) >= 0;
                throw new InputException(
                    $"{source}: {Name(id)} is {(overlap ? "both seen and unseen" : "listed twice")}, expected each class in one of the two, once");
            }

            listed[id] = true;
        }

        if (Array.IndexOf(listed, false) is >= 0 and var missing)
        {
            throw new InputException($"{source}: {Name(missing)} is neither seen nor unseen, expected each class in one of the two");
        }

        if (Seen.Length == 0)
        {
            throw new InputException($"{source}: every class is unseen, expected at least one seen class");
        }

        foreach (int id in Seen)
        {
            _seen[id] = true;
        }
    }

    /// <summary>Number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>Seen train ids, ascending.</summary>
    public int[] Seen { get; }

    /// <summary>Unseen train ids, ascending; empty when fully supervised.</summary>
    public int[] Unseen { get; }

    /// <summary>Every class is seen.</summary>
    public static ZeroShotSplit AllSeen(int classCount) => new(classCount, Enumerable.Range(0, classCount), [], "split");

    /// <summary>The given ids are unseen, the others seen.</summary>
    /// <exception cref="InputException">As for the constructor.</exception>
    public static ZeroShotSplit WithUnseen(int classCount, IReadOnlyCollection<int> unseen, string source, IReadOnlyList<string>? names = null)
        => new(classCount, Enumerable.Range(0, classCount).Except(unseen), unseen, source, names);

    /// <summary>Whether a train id is seen.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no train id.</exception>
    public bool IsSeen(int id) => (uint)id < (uint)_seen.Length
        ? _seen[id]
        : throw new ArgumentOutOfRangeException(nameof(id), $"split: expected a train id from 0 to {ClassCount - 1}, got {id}");
}
