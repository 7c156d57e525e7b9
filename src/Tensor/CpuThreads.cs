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
    private int _next;
    private int _pending;
    private int _generation;
    private int _sleepers;
    private bool _stop;
    private Exception? _error;

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

    /// <summary>Calls body(arguments, tile, worker) for every tile; worker is in 0..Count-1 and unique among the calls that run at the same time.</summary>
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

        try
        {
            t_busy = true;
            _body = (delegate*<void*, int, int, void>)body;
            _arguments = arguments;
            _tiles = tiles;
            _next = 0;
            _error = null;
            Volatile.Write(ref _pending, _workers.Length);
            Interlocked.Increment(ref _generation);
            int sleeping = Volatile.Read(ref _sleepers);
            if (sleeping > 0)
            {
                _wake.Release(sleeping);
            }

            Take(0);
            var spin = default(SpinWait);
            while (Volatile.Read(ref _pending) != 0)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
        finally
        {
            t_busy = false;
            _job.Exit();
        }

        if (_error is { } error)
        {
            throw new InvalidOperationException("a kernel failed: " + error.Message, error);
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _stop, true);
        Interlocked.Increment(ref _generation);
        _wake.Release(Math.Max(1, _workers.Length));
        foreach (var worker in _workers)
        {
            worker.Join();
        }

        _wake.Dispose();
    }

    private void Take(int worker)
    {
        try
        {
            int tile;
            while ((tile = Interlocked.Increment(ref _next) - 1) < _tiles)
            {
                _body(_arguments, tile, worker);
            }
        }
        catch (Exception error)
        {
            // The caller throws it once the whole team has stopped: nobody may still be reading its stack.
            _error = error;
        }
    }

    private void Work(int index)
    {
        t_busy = true;
        int seen = 0;
        while (true)
        {
            int spins = 0;
            while (Volatile.Read(ref _generation) == seen)
            {
                if (++spins < SpinsBeforeSleep)
                {
                    Thread.SpinWait(8);
                    continue;
                }

                // Announce the sleep, look once more, then sleep: a generation raised in between is seen by one of the two.
                Interlocked.Increment(ref _sleepers);
                if (Volatile.Read(ref _generation) == seen)
                {
                    _wake.Wait(50);
                }

                Interlocked.Decrement(ref _sleepers);
            }

            seen = Volatile.Read(ref _generation);
            if (Volatile.Read(ref _stop))
            {
                return;
            }

            Take(index);
            Interlocked.Decrement(ref _pending);
        }
    }
}
