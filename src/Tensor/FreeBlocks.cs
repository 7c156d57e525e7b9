namespace Ldvc.Tensors;

/// <summary>
/// Free blocks of one size. On the CPU the one that came back last goes out first: it is still in a cache. Where addresses matter (a graph of kernels
/// names them), the one with the lowest address goes out first: what is handed out then depends on which blocks are free, and not on the order in
/// which they came back, so equal steps get equal addresses.
/// </summary>
/// <param name="byAddress">Whether the lowest address goes out first.</param>
internal sealed class FreeBlocks(bool byAddress)
{
    private readonly Stack<Storage>? _stack = byAddress ? null : new();
    private readonly PriorityQueue<Storage, long>? _queue = byAddress ? new() : null;

    /// <summary>When one was last taken or added, in the pool's own count; the smaller, the longer ago.</summary>
    internal long LastUse { get; set; }

    /// <summary>Adds a block.</summary>
    internal void Add(Storage block)
    {
        _stack?.Push(block);
        _queue?.Enqueue(block, block.Address);
    }

    /// <summary>Takes a block; null when there is none.</summary>
    internal Storage? Take() =>
        _stack is not null ? (_stack.TryPop(out var last) ? last : null)
        : _queue!.TryDequeue(out var lowest, out _) ? lowest : null;
}
