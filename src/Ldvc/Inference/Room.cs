namespace Ldvc.Inference;

/// <summary>Bounds what waits between two threads by its size: one takes room and waits for it, another gives it back.</summary>
/// <param name="most">So much may be taken; of one that is larger, one at a time.</param>
internal sealed class Room(long most)
{
    private readonly object _gate = new();
    private long _taken;

    /// <summary>Waits until there is room, and takes it.</summary>
    /// <param name="size">How much.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">It did.</exception>
    internal void Take(long size, CancellationToken stop)
    {
        using CancellationTokenRegistration woken = stop.Register(() =>
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        });
        lock (_gate)
        {
            while (_taken > 0 && _taken + size > most)
            {
                stop.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
            }

            _taken += size;
        }
    }

    /// <summary>Gives room back.</summary>
    internal void Give(long size)
    {
        lock (_gate)
        {
            _taken -= size;
            Monitor.PulseAll(_gate);
        }
    }
}
