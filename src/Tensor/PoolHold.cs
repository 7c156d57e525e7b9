namespace Ldvc.Tensors;

/// <summary>
/// Blocks that the pool has set aside for one user: those that were rented while it was open (<see cref="MemoryPool.Open"/>). They come back to it
/// and go out again while it is open, and to nobody else. So a captured step, which writes to the same addresses whenever it is launched, writes to
/// nobody's memory.
/// </summary>
/// <param name="byAddress">See <see cref="FreeBlocks"/>.</param>
internal sealed class PoolHold(bool byAddress)
{
    private readonly Dictionary<long, FreeBlocks> _free = [];

    /// <summary>Whether its blocks have gone back to the pool.</summary>
    internal bool IsReleased { get; private set; }

    /// <summary>Bytes of its blocks, in use or free.</summary>
    internal long Bytes { get; set; }

    /// <summary>Takes a free block of a size; null when there is none.</summary>
    internal Storage? Take(long size) => _free.TryGetValue(size, out var blocks) ? blocks.Take() : null;

    /// <summary>Takes a block back.</summary>
    internal void Add(Storage block)
    {
        if (!_free.TryGetValue(block.Bytes, out var blocks))
        {
            _free.Add(block.Bytes, blocks = new FreeBlocks(byAddress));
        }

        blocks.Add(block);
    }

    /// <summary>Empties it: its free blocks. Those in use go to the pool when they come back.</summary>
    internal IEnumerable<Storage> Release()
    {
        IsReleased = true;
        foreach (var blocks in _free.Values)
        {
            while (blocks.Take() is { } block)
            {
                block.Hold = null;
                yield return block;
            }
        }

        _free.Clear();
        Bytes = 0;
    }
}
