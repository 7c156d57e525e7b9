using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Ldvc.App.Web;

/// <summary>A connection as <see cref="ConnectionGate"/> knows it: whose it is, and whether a request is in progress on it.</summary>
/// <param name="address">Whom it counts for.</param>
/// <param name="abort">Ends it at once.</param>
internal sealed class TrackedConnection(IPAddress address, Action<ConnectionAbortedException> abort)
{
    private long _since = Stopwatch.GetTimestamp();
    private volatile bool _busy;
    private volatile bool _served;

    /// <summary>Whom it counts for.</summary>
    internal IPAddress Address { get; } = address;

    /// <summary>Whether a request is in progress: its headers are complete and its answer is not.</summary>
    internal bool Busy => _busy;

    /// <summary>Whether it has had a request.</summary>
    internal bool Served => _served;

    /// <summary>Since when it waits for a request.</summary>
    internal long Since => Interlocked.Read(ref _since);

    /// <summary>A request begins.</summary>
    internal void Begin() => (_busy, _served) = (true, true);

    /// <summary>A request has ended.</summary>
    internal void End()
    {
        Interlocked.Exchange(ref _since, Stopwatch.GetTimestamp());
        _busy = false;
    }

    /// <summary>Ends the connection.</summary>
    internal void Abort(ConnectionAbortedException reason) => abort(reason);
}
