namespace Ldvc.Tensors;

/// <summary>
/// A fixed team of threads for kernels. One call hands out tiles 0..n-1 to the team (the caller works too) and returns when all are done.
/// Arguments live on the caller's stack and the body is a function pointer, so a call allocates nothing. Which thread takes which tile is not
/// deterministic; bodies must not depend on it except for scratch memory.
/// </summary>
internal sealed unsafe class CpuThreads : IDisposable
{
    // Idle workers spin this many times (some tens of microseconds) before they sleep: kernels of one step follow each other closely.
    private const int SpinsBeforeSleep = 4000;

    [ThreadStatic]
    private static bool t_busy;

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _job = new();
    private delegate*<void*, int, int, void> _body;
    private void* _arguments;
    private int _tiles;
    private int _done;
    private int _sleepers;
    private bool _stop;
    private Exception? _error;

    // Job number in the upper half, tiles not yet taken in the lower: taking a tile is one compare-and-swap, and a thread that wakes up late
    // for a job that has ended finds nothing left instead of somebody else's arguments. Nobody waits for a thread that took no tile.
    private long _ticket;

    internal CpuThreads(int count)
    {
        Count = Math.Max(1, count);
        _workers = new Thread[Count - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int index = i + 1;
            _workers[i] = new Thread(() => Work(index)) { IsBackground = true, Name = $"ldvc kernel {index}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads of the team, the caller included.</summary>
    internal int Count { get; }

    /// <summary>
    /// Calls body(arguments, tile, worker) for every tile; worker is in 0..Count-1 and unique among the calls that run at the same time.
    /// </summary>
    internal void For<T>(int tiles, T* arguments, delegate*<T*, int, int, void> body)
        where T : unmanaged
    {
        // A kernel called from inside a kernel, or while another thread uses the team, runs on its own thread alone.
        if (tiles <= 1 || Count == 1 || t_busy || !_job.TryEnter())
        {
            for (int tile = 0; tile < tiles; tile++)
            {
                body(arguments, tile, 0);
            }

            return;
        }

        Exception? error;
        try
        {
            t_busy = true;
            _body = (delegate*<void*, int, int, void>)body;
            _arguments = arguments;
            _tiles = tiles;
            _error = null;
            Volatile.Write(ref _done, 0);
            Interlocked.Exchange(ref _ticket, ((_ticket >> 32) + 1 << 32) | (uint)tiles);
            if (Volatile.Read(ref _sleepers) > 0)
            {
                _wake.Release(Math.Min(_workers.Length, tiles - 1));
            }

            Take(0);
            var spin = default(SpinWait);
            while (Volatile.Read(ref _done) != tiles)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }

            error = _error;
        }
        finally
        {
            t_busy = false;
            _job.Exit();
        }

        if (error is not null)
        {
            throw new InvalidOperationException("a kernel failed: " + error.Message, error);
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _stop, true);
        _wake.Release(Math.Max(1, _workers.Length));
        foreach (var worker in _workers)
        {
            worker.Join();
        }

        _wake.Dispose();
    }

    private void Take(int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _ticket);
            int left = (int)ticket;
            if (left == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _ticket, ticket - 1, ticket) != ticket)
            {
                continue;
            }

            // The job cannot end before this tile does, so its fields are stable from here.
            try
            {
                _body(_arguments, _tiles - left, worker);
            }
            catch (Exception error)
            {
                // The caller throws it once the whole team has stopped: nobody may still be reading its stack.
                _error = error;
            }

            Interlocked.Increment(ref _done);
        }
    }

    private void Work(int index)
    {
        t_busy = true;
        int spins = 0;
        while (!Volatile.Read(ref _stop))
        {
            if ((int)Volatile.Read(ref _ticket) != 0)
            {
                Take(index);
                spins = 0;
            }
            else if (++spins < SpinsBeforeSleep)
            {
                Thread.SpinWait(8);
            }
            else
            {
                // Announce the sleep, check once more, then sleep: a job posted in between is seen by one of the two. The timeout only bounds
                // the harm of a lost wake-up.
                Interlocked.Increment(ref _sleepers);
                Thread.MemoryBarrier();
                if ((int)Volatile.Read(ref _ticket) == 0 && !Volatile.Read(ref _stop))
                {
                    _wake.Wait(50);
                }

                Interlocked.Decrement(ref _sleepers);
                spins = 0;
            }
        }
    }
}
