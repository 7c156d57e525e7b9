using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>
/// The one thread that calls MPI: it initialises MPI, starts the operations in the order in which they are posted, lets MPI go on with them, watches
/// the other processes (<see cref="MpiPulse"/>), and finalises MPI or ends the job.
/// </summary>
/// <remarks>
/// MPI moves data when it is called, and a wait of MPI's own takes a whole core. With one core for each process that core is the computation's. So
/// the thread asks MPI again and again and sleeps in between: shortly while somebody waits for the result, longer while the program computes.
/// </remarks>
internal sealed class MpiThread
{
    // How often it looks after the other processes.
    private static readonly TimeSpan s_pulse = TimeSpan.FromMilliseconds(25);

    // When nobody ends the job although a process is lost, since the program hangs in something else, this thread does.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_heard = TimeSpan.FromMilliseconds(250);

    private readonly MpiLibrary _mpi;
    private readonly object _lock = new();
    private readonly Queue<MpiOperation> _posted = [];
    private readonly List<MpiOperation> _active = [];
    private readonly Thread _thread;
    private readonly Action<string> _say;
    private readonly TimeSpan _silence;
    private MpiPulse? _pulse;
    private MpiAbort? _abort;
    private ProcessGroupException? _broken;
    private Exception? _startFailure;
    private long _brokenAt;
    private bool _ready;
    private bool _closing;

    internal MpiThread(MpiLibrary mpi, TimeSpan silence, Action<string> say)
    {
        (_mpi, _silence, _say) = (mpi, silence, say);
        _thread = new Thread(Run) { IsBackground = true, Name = "communication" };
        _thread.Start();
        lock (_lock)
        {
            while (!_ready)
            {
                Monitor.Wait(_lock);
            }
        }

        if (_startFailure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>This process.</summary>
    internal int Rank { get; private set; }

    /// <summary>All processes.</summary>
    internal int Size { get; private set; } = 1;

    /// <summary>This process among those of its node.</summary>
    internal int LocalRank { get; private set; }

    /// <summary>The processes of its node.</summary>
    internal int LocalSize { get; private set; } = 1;

    /// <summary>Carries an operation out after those posted before have been started; returns at once.</summary>
    internal void Post(MpiOperation operation)
    {
        lock (_lock)
        {
            if (_broken is null && !_closing)
            {
                _posted.Enqueue(operation);
                Monitor.PulseAll(_lock);
                return;
            }
        }

        operation.End(_broken ?? new ProcessGroupException(operation.Name, Rank, "the group was closed"));
    }

    /// <summary>Ends MPI once all processes ask for it.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
            Monitor.PulseAll(_lock);
        }

        _thread.Join();
        if (_broken is { } failure)
        {
            throw new ProcessGroupException(failure);
        }
    }

    /// <summary>Ends the job and this process.</summary>
    internal void Abort(MpiAbort abort)
    {
        lock (_lock)
        {
            _abort ??= abort;
            Monitor.PulseAll(_lock);
        }

        // MPI_Abort does not return. If the thread is stuck in a call of MPI, or has ended, this process ends without it.
        _thread.Join(MpiAbort.Grace + s_patience);
        abort.Say(_say);
        Environment.Exit(abort.ExitCode);
    }

    private void Run()
    {
        try
        {
            Start();
        }
#pragma warning disable CA1031 // Thrown on the thread that created this one.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _startFailure = e;
        }

        lock (_lock)
        {
            _ready = true;
            Monitor.PulseAll(_lock);
        }

        if (_startFailure is null)
        {
            Loop();
        }
    }

    private unsafe void Start()
    {
        if (_mpi.Initialized() || _mpi.Finalized())
        {
            throw new InputException($"{_mpi.Version} was initialised in this process before: expected one group of processes in a program's life.");
        }

        _mpi.Check(_mpi.InitThread(_mpi.Abi.ThreadFunneled, out int provided), "MPI_Init_thread", 0);
        _mpi.Check(_mpi.ReturnErrors(_mpi.Abi.World), "MPI_Comm_set_errhandler", 0);
        if (provided < _mpi.Abi.ThreadFunneled)
        {
            throw new InputException($"{_mpi.File} ({_mpi.Version}): expected thread level MPI_THREAD_FUNNELED, it offers MPI_THREAD_SINGLE only.");
        }

        int rank = 0, size = 1, localRank = 0, localSize = 1;
        nint world = _mpi.Abi.World, node = 0;
        _mpi.Check(_mpi.CommRank(world, &rank), "MPI_Comm_rank", 0);
        _mpi.Check(_mpi.CommSize(world, &size), "MPI_Comm_size", rank);
        _mpi.Check(_mpi.SplitByNode(world, rank, &node), "MPI_Comm_split_type", rank);
        _mpi.Check(_mpi.CommRank(node, &localRank), "MPI_Comm_rank", rank);
        _mpi.Check(_mpi.CommSize(node, &localSize), "MPI_Comm_size", rank);
        (Rank, Size, LocalRank, LocalSize) = (rank, size, localRank, localSize);
        if (size > 1)
        {
            _pulse = new MpiPulse(_mpi, rank, size, _silence);
        }
    }

    private void Loop()
    {
        long looked = 0;
        while (true)
        {
            StartPosted();
            bool moved = TestActive();
            if (Stopwatch.GetElapsedTime(looked) >= s_pulse)
            {
                looked = Stopwatch.GetTimestamp();
                LookAfterOthers();
            }

            if (_closing && _active.Count == 0 && IsEmpty())
            {
                Finish();
                return;
            }

            if (_active.Count > 0 && !moved)
            {
                // Asked for before MPI is: none is active any more when it fails.
                long started = _active[0].Started;
                bool awaited = _active.Exists(operation => operation.IsAwaited);
                if (!awaited || !TestAgain())
                {
                    MpiPause.After(Stopwatch.GetElapsedTime(started), awaited);
                }
            }
        }
    }

    private bool IsEmpty()
    {
        lock (_lock)
        {
            return _posted.Count == 0;
        }
    }

    // In the order in which they were posted: MPI pairs the processes' collectives by their order.
    private void StartPosted()
    {
        while (true)
        {
            MpiOperation operation;
            lock (_lock)
            {
                if (_posted.Count == 0)
                {
                    if (_active.Count == 0 && !_closing)
                    {
                        Monitor.Wait(_lock, s_pulse);
                    }

                    if (_posted.Count == 0)
                    {
                        return;
                    }
                }

                operation = _posted.Dequeue();
            }

            if (_broken is not null)
            {
                operation.End(_broken);
                continue;
            }

            _active.Add(operation);
            Try(() => operation.Start(_mpi, Rank));
        }
    }

    private bool TestActive()
    {
        bool moved = false;
        Try(() =>
        {
            for (int i = 0; i < _active.Count;)
            {
                MpiOperation operation = _active[i];
                if (!operation.Test(_mpi, Rank))
                {
                    i++;
                    continue;
                }

                _active.RemoveAt(i);
                operation.End(null);
                moved = true;
            }
        });
        return moved;
    }

    // MPICH moves some pieces of a message at each call, so a large sum takes many, and a sleep after each of them would be most of its time.
    private bool TestAgain()
    {
        long start = Stopwatch.GetTimestamp();
        while (_active.Count > 0 && Stopwatch.GetElapsedTime(start) < MpiPause.Burst)
        {
            if (TestActive())
            {
                return true;
            }

            Thread.Yield();
        }

        return false;
    }

    private void LookAfterOthers()
    {
        if (_pulse is { } pulse)
        {
            if (_broken is null)
            {
                Try(() => pulse.Beat());
            }

            if (pulse.Notice() is { } notice)
            {
                End(notice);
            }
        }

        if (_broken is { } broken && _abort is null && !_closing && Stopwatch.GetElapsedTime(_brokenAt) > s_patience)
        {
            _abort = new MpiAbort(ProcessGroupException.ExitCode, broken.Message, Rank, Size);
        }

        if (_abort is { } abort)
        {
            // Rank 0 speaks for all, so that two processes with the same trouble say it once; without an answer this one does.
            if (Rank == 0 || _pulse is null || abort.Sentence is null || !_pulse.Tell(abort))
            {
                End(abort);
            }
        }
    }

    // Does not return: the library ends the process.
    private void End(MpiAbort abort)
    {
        abort.Say(_say);

        // MPICH's launcher drops what is still in the pipe of a process that ends the job.
        Thread.Sleep(s_heard);
        _ = _mpi.Abort(abort.ExitCode);
        Environment.Exit(abort.ExitCode);
    }

    private void Finish()
    {
        if (_broken is null)
        {
            Try(() =>
            {
                _pulse?.Part(End);
                _mpi.Check(_mpi.Finish(), "MPI_Finalize", Rank);
            });
        }
    }

    // After a failure no operation can be trusted to end: all that were begun and all that come fail alike.
    private void Try(Action body)
    {
        try
        {
            body();
        }
#pragma warning disable CA1031 // Handed to whoever waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _broken = e as ProcessGroupException ?? new ProcessGroupException("communication", Rank, e.Message, e);
            _brokenAt = Stopwatch.GetTimestamp();
            foreach (MpiOperation operation in _active)
            {
                operation.End(_broken);
            }

            _active.Clear();
        }
    }
}
