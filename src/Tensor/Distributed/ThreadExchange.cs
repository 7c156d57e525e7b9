namespace Ldvc.Tensors.Distributed;

/// <summary>
/// Where the threads of a <see cref="ThreadProcessGroup"/> meet: the k-th operation of each rank is put in place k, and taken when all ranks have put
/// theirs.
/// </summary>
internal sealed class ThreadExchange(int size)
{
    private readonly object _lock = new();
    private readonly Dictionary<long, Meeting> _meetings = [];
    private readonly bool[] _ended = new bool[size];
    private int _failedRank;

    /// <summary>How many ranks there are.</summary>
    internal int Size { get; } = size;

    /// <summary>What the first rank to fail threw.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>A rank's part of operation number place.</summary>
    internal void Put(long place, int rank, string operation, byte[] data)
    {
        lock (_lock)
        {
            Meeting meeting = At(place);
            meeting.Operation ??= operation;
            if (meeting.Operation != operation)
            {
                throw new ProcessGroupException(operation, rank, $"another rank called {meeting.Operation} as its operation number {place}");
            }

            meeting.Parts[rank] = data;
            meeting.Put++;
            for (int other = 0; other < Size; other++)
            {
                if (_ended[other] && meeting.Parts[other] is null)
                {
                    throw new ProcessGroupException(operation, rank, $"rank {other} has ended without it");
                }
            }

            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Everybody's parts, once all are there.</summary>
    internal byte[][] Take(long place, int rank)
    {
        lock (_lock)
        {
            Meeting meeting = At(place);
            while (meeting.Put < Size)
            {
                if (Failure is not null)
                {
                    throw new ProcessGroupException(meeting.Operation ?? "operation", rank, $"rank {_failedRank} failed: {Failure.Message}", Failure);
                }

                Monitor.Wait(_lock);
            }

            if (++meeting.Taken == Size)
            {
                _meetings.Remove(place);
            }

            return meeting.Parts;
        }
    }

    /// <summary>A rank has failed; the first reason is kept, and nobody waits for it any more.</summary>
    internal void Fail(int rank, Exception reason)
    {
        lock (_lock)
        {
            if (Failure is null)
            {
                (Failure, _failedRank) = (reason, rank);
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>A rank has ended; that others still wait for it is a failure.</summary>
    internal void End(int rank)
    {
        lock (_lock)
        {
            _ended[rank] = true;
            if (_meetings.Values.FirstOrDefault(meeting => meeting.Put > 0 && meeting.Parts[rank] is null) is { } missed)
            {
                Fail(rank, new ProcessGroupException(missed.Operation!, rank, "the rank has ended without it"));
            }
        }
    }

    private Meeting At(long place)
    {
        if (!_meetings.TryGetValue(place, out Meeting? meeting))
        {
            _meetings.Add(place, meeting = new Meeting(Size));
        }

        return meeting;
    }

    private sealed class Meeting(int size)
    {
        internal byte[][] Parts { get; } = new byte[size][];

        internal string? Operation { get; set; }

        internal int Put { get; set; }

        internal int Taken { get; set; }
    }
}
