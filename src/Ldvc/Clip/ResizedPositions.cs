using Ldvc.Autograd;

namespace Ldvc.Clip;

/// <summary>
/// Position embeddings for other grids than the checkpoint's, each made once. Pictures of many sizes ask for many, and each has megabytes: beyond a
/// few, the one that was asked for longest ago is freed. Those of a training stay, for its kernels may run again without asking.
/// </summary>
internal sealed class ResizedPositions : IDisposable
{
    /// <summary>How many are kept for inference.</summary>
    internal const int Kept = 16;

    private readonly Dictionary<(int Rows, int Columns), Entry> _entries = [];
    private long _uses;

    /// <summary>How many there are.</summary>
    internal int Count => _entries.Count;

    /// <summary>That of a grid.</summary>
    /// <param name="rows">Rows of patches.</param>
    /// <param name="columns">Columns of patches.</param>
    /// <param name="stays">Whether it is never freed.</param>
    /// <param name="make">Makes it.</param>
    internal Parameter Get(int rows, int columns, bool stays, Func<Parameter> make)
    {
        if (!_entries.TryGetValue((rows, columns), out var entry))
        {
            FreeOldest();
            _entries.Add((rows, columns), entry = new Entry(make()));
        }

        entry.Stays |= stays;
        entry.LastUse = ++_uses;
        return entry.Value;
    }

    public void Dispose()
    {
        foreach (var entry in _entries.Values)
        {
            entry.Value.Dispose();
        }

        _entries.Clear();
    }

    private void FreeOldest()
    {
        var others = _entries.Where(each => !each.Value.Stays).ToList();
        if (others.Count >= Kept)
        {
            var (grid, entry) = others.MinBy(each => each.Value.LastUse);
            _entries.Remove(grid);
            entry.Value.Dispose();
        }
    }

    private sealed class Entry(Parameter value)
    {
        internal Parameter Value { get; } = value;

        internal bool Stays { get; set; }

        internal long LastUse { get; set; }
    }
}
