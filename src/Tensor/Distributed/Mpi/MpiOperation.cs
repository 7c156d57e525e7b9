using System.Diagnostics;

namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>Starts one call of MPI that returns at once.</summary>
/// <param name="request">Where MPI puts the request.</param>
/// <returns>MPI's code.</returns>
internal unsafe delegate int MpiStart(nint* request);

/// <summary>
/// An operation that some thread asks for and the communication thread carries out: one or several calls that are started together, in this order,
/// and are done when all of their requests are. The memory that the calls use is the caller's, who keeps it in place until <see cref="Wait"/> has
/// returned.
/// </summary>
internal sealed class MpiOperation(string name, params MpiStart[] calls)
{
    private readonly object _lock = new();
    private readonly nint[] _requests = new nint[calls.Length];
    private readonly bool[] _done = new bool[calls.Length];
    private Exception? _failure;
    private bool _ended;

    /// <summary>MPI's name of the calls.</summary>
    internal string Name { get; } = name;

    /// <summary>When it was started.</summary>
    internal long Started { get; private set; }

    /// <summary>Whether a thread waits for it, and so leaves its core to the communication.</summary>
    internal bool IsAwaited { get; private set; }

    /// <summary>Starts the calls; on the communication thread.</summary>
    /// <exception cref="ProcessGroupException">MPI refuses one.</exception>
    internal unsafe void Start(MpiLibrary mpi, int rank)
    {
        Started = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls.Length; i++)
        {
            nint request = 0;
            mpi.Check(calls[i](&request), Name, rank);
            _requests[i] = request;
        }
    }

    /// <summary>Whether all is done; lets MPI go on with it. On the communication thread.</summary>
    /// <exception cref="ProcessGroupException">It failed.</exception>
    internal unsafe bool Test(MpiLibrary mpi, int rank)
    {
        bool all = true;
        for (int i = 0; i < calls.Length; i++)
        {
            if (_done[i])
            {
                continue;
            }

            nint request = _requests[i];
            int flag = 0;
            mpi.Check(mpi.Test(&request, &flag), Name, rank);
            _requests[i] = request;
            _done[i] = flag != 0;
            all &= flag != 0;
        }

        return all;
    }

    /// <summary>Ends it; on the communication thread.</summary>
    /// <param name="failure">Why it failed; null when it is done.</param>
    internal void End(Exception? failure)
    {
        lock (_lock)
        {
            (_failure, _ended) = (failure, true);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Returns when it is done.</summary>
    /// <exception cref="ProcessGroupException">It failed, or a process is gone.</exception>
    internal void Wait()
    {
        lock (_lock)
        {
            IsAwaited = true;
            while (!_ended)
            {
                Monitor.Wait(_lock);
            }
        }

        if (_failure is ProcessGroupException known)
        {
            throw new ProcessGroupException(known);
        }

        if (_failure is not null)
        {
            throw new InvalidOperationException($"{Name}: {_failure.Message}", _failure);
        }
    }
}
