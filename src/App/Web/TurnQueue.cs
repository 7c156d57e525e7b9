using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// One picture at a time, and a fair order of those that wait: addresses take turns, each with its own line. So somebody with one picture waits for
/// one picture of every other address at most, however many they have sent. When all places are taken, the address with the longest line gives one
/// up.
/// </summary>
/// <param name="places">How many may wait.</param>
internal sealed class TurnQueue(int places)
{
    private const int MaxRetry = 600;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, LinkedList<Waiter>> _lines = [];

    // Addresses with a line, the next one first.
    private readonly LinkedList<IPAddress> _order = [];
    private bool _taken;
    private int _waiting;
    private long _entered;
    private double _meanSeconds = 1;

    /// <summary>Pictures that wait.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting;
            }
        }
    }

    /// <summary>Refuses a request whose picture would find no place, before it is read.</summary>
    /// <exception cref="RequestException">There is none.</exception>
    internal void CheckPlace(IPAddress address)
    {
        lock (_lock)
        {
            if (_taken && _waiting >= places && LineToCut(address) is null)
            {
                throw Full();
            }
        }
    }

    /// <summary>Waits for the turn; the caller gives it back with <see cref="Leave"/>.</summary>
    /// <param name="address">Whose line to stand in.</param>
    /// <param name="cancellation">Gives the place up.</param>
    /// <exception cref="RequestException">There is no place to wait, or it went to somebody with fewer pictures.</exception>
    internal async Task EnterAsync(IPAddress address, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var waiter = new Waiter(address);
        lock (_lock)
        {
            if (!_taken)
            {
                (_taken, _entered) = (true, Stopwatch.GetTimestamp());
                return;
            }

            if (_waiting >= places)
            {
                Waiter cut = LineToCut(address) ?? throw Full();
                Remove(cut);
                cut.Turn.SetException(Full());
            }

            Add(waiter);
        }

        await using (cancellation.Register(() => GiveUp(waiter, cancellation)).ConfigureAwait(false))
        {
            await waiter.Turn.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Takes the turn if it is nobody's.</summary>
    internal bool TryEnter()
    {
        lock (_lock)
        {
            if (_taken)
            {
                return false;
            }

            (_taken, _entered) = (true, Stopwatch.GetTimestamp());
            return true;
        }
    }

    /// <summary>Ends a turn; the next one begins.</summary>
    internal void Leave()
    {
        lock (_lock)
        {
            // An average that forgets: the last few pictures say best how long the next ones take.
            _meanSeconds += (Stopwatch.GetElapsedTime(_entered).TotalSeconds - _meanSeconds) / 8;
            if (_order.First is not { } first)
            {
                _taken = false;
                return;
            }

            IPAddress address = first.Value;
            Waiter next = _lines[address].First!.Value;
            Remove(next);
            if (_lines.ContainsKey(address))
            {
                _order.Remove(address);
                _order.AddLast(address);
            }

            _entered = Stopwatch.GetTimestamp();
            next.Turn.SetResult();
        }
    }

    private void Add(Waiter waiter)
    {
        if (!_lines.TryGetValue(waiter.Address, out var line))
        {
            _lines.Add(waiter.Address, line = []);
            _order.AddLast(waiter.Address);
        }

        line.AddLast(waiter);
        _waiting++;
    }

    private void Remove(Waiter waiter)
    {
        LinkedList<Waiter> line = _lines[waiter.Address];
        line.Remove(waiter);
        _waiting--;
        if (line.Count == 0)
        {
            _lines.Remove(waiter.Address);
            _order.Remove(waiter.Address);
        }
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!waiter.Turn.Task.IsCompleted)
            {
                Remove(waiter);
                waiter.Turn.SetCanceled(cancellation);
            }
        }
    }

    // Who has the most gives its last place to somebody who would still have fewer.
    private Waiter? LineToCut(IPAddress address)
    {
        int own = _lines.TryGetValue(address, out var line) ? line.Count : 0;
        LinkedList<Waiter>? longest = _lines.Values.MaxBy(l => l.Count);
        return longest is not null && longest.Count > own + 1 ? longest.Last!.Value : null;
    }

    private RequestException Full() =>
        new(
            StatusCodes.Status503ServiceUnavailable,
            RejectReasons.Queue,
            $"the server is busy, and {_waiting} pictures wait already; try again later.")
        {
            RetryAfter = (int)Math.Clamp(Math.Ceiling(_meanSeconds * (_waiting + 1)), 1, MaxRetry),
        };

    private sealed class Waiter(IPAddress address)
    {
        internal IPAddress Address { get; } = address;

        // Whoever waits goes on elsewhere, not inside of the lock.
        internal TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
