using System.Net;
using System.Text;
using Ldvc.App.Web;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Imaging;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>
/// What one client can cost the others: pictures that unfold, bodies that do not come, connections that say nothing, queues that are full.
/// </summary>
public sealed class ServerLimitTests
{
    private const string Half = "POST /api/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: "
        + "100\r\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Picture { get; } = ImageWriter.EncodePng(new SceneDataset("val", 1).Read(0).Image);

    // The turn is taken: what is refused does not wait for it.
    [Fact]
    public async Task LargePicturesAreRefusedByTheirHeader()
    {
        await using var server = await StartAsync(limits => limits with { MaxPixels = 300 });
        Assert.True(server.Service.Turn.TryEnter());
        foreach (string name in new[] { "huge.png", "exif6.jpg", "progressive.jpg", "rgba.webp", "lossy.webp", "rgb.bmp", "still.gif", "moving.gif" })
        {
            byte[] picture = await File.ReadAllBytesAsync(ImageFixtures.Path_(name), Token);
            Assert.Matches(
                @"^photo\.jpg: \d+x\d+ pixels, expected at most 300 in all\.$",
                await server.RefusedAsync(server.PostAsync(picture, "cat"), HttpStatusCode.RequestEntityTooLarge));
        }

        Assert.Equal(8, await server.MetricAsync("ldvc_rejected_total{reason=\"pixels\"}"));
        server.Service.Turn.Leave();
    }

    [Fact]
    public async Task TooManyNamesAreRefused()
    {
        await using var server = await StartAsync(limits => limits with { MaxNames = 3 });
        Assert.Equal(
            "classes: 4 names and synonyms, expected at most 3.",
            await server.RefusedAsync(server.PostAsync(Picture, "a; b\nc\nd"), HttpStatusCode.RequestEntityTooLarge));
        await server.SegmentAsync(Picture, "a; b\nc");
    }

    [Fact]
    public async Task AFullQueueSaysWhenToComeBack()
    {
        await using var server = await StartAsync(limits => limits with { MaxWaiting = 1 });
        Assert.True(server.Service.Turn.TryEnter());
        Task<HttpResponseMessage> waiting = server.PostAsync(Picture, "cat");
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 1, "a picture that waits");
        Assert.Equal(1, await server.MetricAsync("ldvc_queue_length"));
        using (HttpResponseMessage refused = await server.PostAsync(Picture, "cat"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 600);
            Assert.Contains("the server is busy, and 1 pictures wait already", await refused.Content.ReadAsStringAsync(Token));
        }

        server.Service.Turn.Leave();
        using HttpResponseMessage served = await waiting;
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        Assert.Equal(1, await server.MetricAsync("ldvc_rejected_total{reason=\"queue\"}"));
    }

    [Fact]
    public async Task UploadsShareTheirMemory()
    {
        await using var server = await StartAsync(limits => limits with { MaxHeld = 40_000 });
        using (HttpResponseMessage refused = await server.PostAsync(new byte[100_000], "cat"))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (refused.StatusCode, refused.Headers.RetryAfter is not null));
        }

        await Served.UntilAsync(() => server.Held.Now == 0, "memory that is given back");
    }

    [Fact]
    public async Task WhoeverLeavesIsNotWorkedFor()
    {
        await using var server = await StartAsync(limits => limits);
        Assert.True(server.Service.Turn.TryEnter());
        using var gone = new CancellationTokenSource();
        Task<HttpResponseMessage> waiting = server.PostAsync(Picture, "cat", null, gone.Token);
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 1, "a picture that waits");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 0, "its place");
        await server.LoggedAsync("POST /api/segment 499 0 B");
        server.Service.Turn.Leave();
        Assert.Equal(0, await server.MetricAsync("ldvc_pictures_total"));
        Assert.Equal(0, server.Held.Now);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET / HT")]
    [InlineData(Half)]
    public async Task HalfOpenConnectionsShutNobodyOut(string sent)
    {
        await using var server = await StartAsync(limits => limits with { MaxOfAddress = 8, MaxConnections = 10 });
        RawConnection[] half = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => server.ConnectAsync(sent)));
        await server.SegmentAsync(Picture, "cat");
        Assert.True(await server.MetricAsync("ldvc_rejected_total{reason=\"connections\"}") >= 32);
        Assert.InRange(await server.MetricAsync("ldvc_connections"), 1, 8);
        Array.ForEach(half, connection => connection.Dispose());
    }

    // Where every connection has a request, a newcomer is told so.
    [Fact]
    public async Task TooManyConnectionsAtWork()
    {
        await using var server = await StartAsync(limits => limits with { MaxOfAddress = 1 });
        Assert.True(server.Service.Turn.TryEnter());
        Task<HttpResponseMessage> waiting = server.PostAsync(Picture, "cat");
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 1, "a picture that waits");
        using RawConnection second = await server.ConnectAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        string answer = await second.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n", answer);
        Assert.EndsWith("{\"error\": \"too many connections at once; try again.\"}\n", answer);
        server.Service.Turn.Leave();
        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
    }

    [Fact]
    public async Task BodiesAndHeadersHaveADeadline()
    {
        await using var server = await StartAsync(
            limits => limits with { BodyDeadline = TimeSpan.FromSeconds(0.3), HeaderDeadline = TimeSpan.FromSeconds(1) });
        using RawConnection header = await server.ConnectAsync("GET / HTTP/1.1\r\nHost: loc");
        using RawConnection body = await server.ConnectAsync(Half + "\r\n--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nab");
        string answer = await body.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408 Request Timeout\r\n", answer);
        Assert.Contains("expected the whole form within 0.3 s.", answer);
        Assert.StartsWith("HTTP/1.1 408 Request Timeout\r\n", await header.ReadToEndAsync());
        Assert.Equal(1, await server.MetricAsync("ldvc_rejected_total{reason=\"deadline\"}"));
    }

    [Fact]
    public async Task AnEndLetsWaitingPicturesFinish()
    {
        await using var server = await StartAsync(limits => limits);
        Assert.True(server.Service.Turn.TryEnter());
        Task<HttpResponseMessage> waiting = server.PostAsync(Picture, "cat");
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 1, "a picture that waits");
        Task stopping = server.StopAsync().AsTask();
        await Served.UntilAsync(() => Refuses(server.Port), "a closed door");
        server.Service.Turn.Leave();
        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
        await stopping;
    }

    [Fact]
    public async Task AnEndWaitsNoLongerThanItsDeadline()
    {
        await using var server = await StartAsync(limits => limits with { DrainDeadline = TimeSpan.FromSeconds(0.2) });
        Assert.True(server.Service.Turn.TryEnter());
        Task<HttpResponseMessage> waiting = server.PostAsync(Picture, "cat");
        await Served.UntilAsync(() => server.Service.Turn.Waiting == 1, "a picture that waits");
        await server.StopAsync();
        Assert.Equal("the program is ending.", await server.RefusedAsync(waiting, HttpStatusCode.ServiceUnavailable));
        server.Service.Turn.Leave();
    }

    [Fact]
    public async Task FormsAreWhatTheyShouldBe()
    {
        await using var server = await StartAsync(limits => limits);
        foreach (var (type, body, expected) in new[]
        {
            ("multipart/form-data", "", "expected a form with a boundary in its Content-Type."),
            ("multipart/form-data; boundary=x", Part("image", "a") + Part("image", "b") + "--x--\r\n", "image: expected it once, found it twice."),
            ("multipart/form-data; boundary=x", Part("backgroud", "0.5") + "--x--\r\n", "expected a form with image, classes and perhaps background, "
                + "found a part 'backgroud'."),
            ("multipart/form-data; boundary=x", "--x\r\nX: y\r\n\r\nz\r\n--x--\r\n", "expected a form with image, classes and perhaps background, "
                + "found a part ''."),
            ("multipart/form-data; boundary=x", Part("classes", "a", "text/plain; charset=iso-8859-1") + "--x--\r\n",
                "classes: expected text in UTF-8, found 'iso-8859-1'."),
            ("multipart/form-data; boundary=x", Part("classes", "cat") + "--x--\r\n", "image: expected a picture's file, found none."),
            ("multipart/form-data; boundary=x", Part("image", "") + Part("classes", "cat") + "--x--\r\n", "f: is empty, expected a picture"),
        })
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            Assert.Equal(expected, await server.RefusedAsync(server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), content, Token)));
        }
    }

    [Theory]
    [InlineData("background=0.9", "background")]
    [InlineData("classes=cat&image=x", "classes")]
    [InlineData("v", "v")]
    public async Task WhatStandsInTheAddressIsNotOverlooked(string query, string key)
    {
        await using var server = await StartAsync(limits => limits);
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Part("image", "a") + Part("classes", "cat") + "--x--\r\n"));
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=x");
        Assert.Equal(
            $"'{key}' stands in the address; expected image, classes and perhaps background in the form.",
            await server.RefusedAsync(server.Client.PostAsync(new Uri($"api/segment?{query}", UriKind.Relative), content, Token)));
    }

    private static string Part(string name, string body, string? type = null) =>
        $"--x\r\nContent-Disposition: form-data; name=\"{name}\"; "
            + $"filename=\"f\"\r\n{(type is null ? "" : $"Content-Type: {type}\r\n")}\r\n{body}\r\n";

    private static bool Refuses(int port)
    {
        try
        {
            using var client = new System.Net.Sockets.TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }

    private static Task<Served> StartAsync(Func<ServerLimits, ServerLimits> change) =>
        Served.StartAsync(TinyClip.Folder, settings => settings with { Limits = change(settings.Limits) });
}
