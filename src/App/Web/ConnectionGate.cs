using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Ldvc.App.Web;

/// <summary>
/// Counts connections, by address and in all. At a limit the connection that has waited longest without a request makes room, first those that never
/// sent one: half-open ones shut nobody out. Where all are at work, the newcomer is told so (503).
/// </summary>
/// <param name="limits">How many there may be.</param>
/// <param name="metrics">Counts them.</param>
internal sealed class ConnectionGate(ServerLimits limits, ServerMetrics metrics)
{
    private const int NetworkBits = 64;
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<TrackedConnection> _open = [];
    private readonly Dictionary<IPAddress, int> _counts = [];

    /// <summary>Open connections.</summary>
    internal int Open
    {
        get
        {
            lock (_lock)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Lets a connection through, or refuses it.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="next">What serves it.</param>
    internal async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var tracked = new TrackedConnection(AddressOf(connection), connection.Abort);
        if (!Admit(tracked))
        {
            metrics.Reject(RejectReasons.Connections);
            await RefuseAsync(connection).ConfigureAwait(false);
            return;
        }

        connection.Features.Set(tracked);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                Remove(tracked);
            }
        }
    }

    /// <summary>Whom a connection counts for: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets.</summary>
    internal static IPAddress Origin(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            byte[] bytes = address.GetAddressBytes();
            bytes.AsSpan(NetworkBits / 8).Clear();
            return IPAddress.IsLoopback(address) ? address : new IPAddress(bytes);
        }

        return address;
    }

    private static IPAddress AddressOf(ConnectionContext connection) =>
        connection.RemoteEndPoint is IPEndPoint end ? Origin(end.Address) : IPAddress.None;

    private bool Admit(TrackedConnection tracked)
    {
        TrackedConnection? victim = null;
        lock (_lock)
        {
            bool full = _counts.GetValueOrDefault(tracked.Address) >= limits.MaxOfAddress;
            if (full || _open.Count >= limits.MaxConnections)
            {
                victim = _open.Where(c => !c.Busy && (!full || c.Address.Equals(tracked.Address))).MinBy(c => (c.Served, c.Since));
                if (victim is null)
                {
                    return false;
                }

                Remove(victim);
            }

            _open.Add(tracked);
            _counts[tracked.Address] = _counts.GetValueOrDefault(tracked.Address) + 1;
        }

        if (victim is not null)
        {
            metrics.Reject(RejectReasons.Connections);
            victim.Abort(new ConnectionAbortedException("room was needed for another connection"));
        }

        return true;
    }

    private void Remove(TrackedConnection tracked)
    {
        if (_open.Remove(tracked) && --_counts[tracked.Address] == 0)
        {
            _counts.Remove(tracked.Address);
        }
    }

    // What the client has sent is read first: an answer that overtakes it may be lost when the connection closes.
    private static async Task RefuseAsync(ConnectionContext connection)
    {
        const string body = "{\"error\": \"too many connections at once; try again.\"}\n";
        using var patience = new CancellationTokenSource(RefusalPatience);
        try
        {
            ReadResult read = await connection.Transport.Input.ReadAsync(patience.Token).ConfigureAwait(false);
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            string answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}";
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(answer), patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // It sent nothing, or has gone: closing is all the answer there is.
        }
    }
}
