namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Whose turn it is on a GPU device. Kernels of one call share scratch memory, in the order in which they are queued, so calls of two threads must
/// not mix. Tapes hold the device for their thread while they live; each launch and copy says so when it meets one of another thread.
/// </summary>
internal sealed class GpuTurn(string name)
{
    private readonly Lock _lock = new();
    private Thread? _holder;
    private int _tapes;
    private int _user;

    /// <summary>A tape of this thread begins.</summary>
    /// <exception cref="InvalidOperationException">A tape of another thread has not ended.</exception>
    internal void Hold()
    {
        lock (_lock)
        {
            var current = Thread.CurrentThread;
            if (_tapes > 0 && _holder != current)
            {
                // Whoever left a tape behind and ended will not go on with it.
                if (_holder!.IsAlive)
                {
                    throw Refuse();
                }

                _tapes = 0;
            }

            _holder = current;
            _tapes++;
        }
    }

    /// <summary>A tape ends, on whichever thread.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            _tapes = Math.Max(0, _tapes - 1);
        }
    }

    /// <summary>This thread queues something until the result is disposed of.</summary>
    /// <exception cref="InvalidOperationException">Another thread is queueing something.</exception>
    internal Use Enter() => Take() ? new Use(this) : default;

    /// <summary>
    /// The same for a caller that cannot hold a <see cref="Use"/>: true when <see cref="GiveBack"/> ends it, false inside another one.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread is queueing something.</exception>
    internal bool Take()
    {
        int current = Environment.CurrentManagedThreadId;
        int user = Interlocked.CompareExchange(ref _user, current, 0);
        return user == 0 || (user == current ? false : throw Refuse());
    }

    /// <summary>Lets others.</summary>
    internal void GiveBack() => Volatile.Write(ref _user, 0);

    private InvalidOperationException Refuse() =>
        new($"device {name} is in use by another thread; expected one thread at a time: dispose of its tape first, or open a device for each thread");

    /// <summary>The end of what a thread queues; nothing inside another one.</summary>
    internal readonly ref struct Use(GpuTurn? turn)
    {
        /// <summary>Lets others.</summary>
        internal void Dispose() => turn?.GiveBack();
    }
}
