using System.Net;
using Ldvc.App.Web;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>Whose picture is next, and who finds no place.</summary>
public sealed class TurnQueueTests
{
    private static readonly IPAddress A = IPAddress.Parse("192.0.2.1"), B = IPAddress.Parse("192.0.2.2"), C = IPAddress.Parse("192.0.2.3");

    private readonly List<string> _served = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddressesTakeTurns()
    {
        var queue = new TurnQueue(100);
        await queue.EnterAsync(A, Token);
        Task[] all = [.. new[] { (A, "a1"), (A, "a2"), (A, "a3"), (B, "b1"), (C, "c1"), (B, "b2") }.Select(w => Serve(queue, w.Item1, w.Item2))];
        Assert.Equal(6, queue.Waiting);
        queue.Leave();
        await Task.WhenAll(all);
        Assert.Equal(["a1", "b1", "c1", "a2", "b2", "a3"], _served);
        Assert.Equal(0, queue.Waiting);
        Assert.True(queue.TryEnter());
        Assert.False(queue.TryEnter());

        // Without places to wait, a turn that is free can still be taken.
        var alone = new TurnQueue(0);
        alone.CheckPlace(A);
        await alone.EnterAsync(A, Token);
        Assert.Throws<RequestException>(() => alone.CheckPlace(A));
    }

    [Fact]
    public async Task TheLongestLineGivesAPlaceUp()
    {
        var queue = new TurnQueue(3);
        await queue.EnterAsync(A, Token);
        Task[] first = [Serve(queue, A, "a1"), Serve(queue, A, "a2"), Serve(queue, A, "a3")];
        Assert.Equal(503, (await Assert.ThrowsAsync<RequestException>(() => queue.EnterAsync(A, Token))).Status);
        Task b = Serve(queue, B, "b1");
        RequestException cut = await Assert.ThrowsAsync<RequestException>(() => first[2]);
        Assert.InRange(cut.RetryAfter, 1, 600);

        // One place more would only change who has too many.
        Assert.Throws<RequestException>(() => queue.CheckPlace(B));
        Task c = Serve(queue, C, "c1");
        await Assert.ThrowsAsync<RequestException>(() => first[1]);
        Assert.Throws<RequestException>(() => queue.CheckPlace(IPAddress.Loopback));
        queue.Leave();
        await Task.WhenAll(first[0], b, c);
        Assert.Equal(["a1", "b1", "c1"], _served);
    }

    [Fact]
    public async Task WhoeverGivesUpIsNotServed()
    {
        var queue = new TurnQueue(2);
        await queue.EnterAsync(A, Token);
        using var gone = new CancellationTokenSource();
        Task given = queue.EnterAsync(A, gone.Token);
        Task kept = Serve(queue, A, "a2");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        Assert.Equal(1, queue.Waiting);
        queue.Leave();
        await kept;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.EnterAsync(A, gone.Token));
        Assert.True(queue.TryEnter());
    }

    [Fact]
    public void AnIpv6NetworkIsOneAddress()
    {
        IPAddress Of(string text) => ConnectionGate.Origin(IPAddress.Parse(text));
        Assert.Equal(Of("2001:db8:1:2:3:4:5:6"), Of("2001:db8:1:2:ffff::1"));
        Assert.NotEqual(Of("2001:db8:1:2::1"), Of("2001:db8:1:3::1"));
        Assert.Equal(IPAddress.Parse("192.0.2.7"), Of("::ffff:192.0.2.7"));
        Assert.Equal(IPAddress.IPv6Loopback, Of("::1"));
    }

    private async Task Serve(TurnQueue queue, IPAddress address, string name)
    {
        await queue.EnterAsync(address, Token);
        _served.Add(name);
        queue.Leave();
    }
}
