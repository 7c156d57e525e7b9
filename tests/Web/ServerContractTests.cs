using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Ldvc.App.Web;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>What HTTP, Prometheus and a browser's security rules ask of a server, the token, and the log.</summary>
public sealed partial class ServerContractTests
{
    private static readonly string[] Pages = ["/", "/page.css", "/page.js", "/server.js", "/labels.js", "/icon.svg"];
    private static readonly string[] Gets = [.. Pages, "/healthz", "/metrics", "/api/model", "/api/scene"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Picture { get; } = ImageWriter.EncodePng(new SceneDataset("val", 1).Read(0).Image);

    [Fact]
    public async Task EveryAddressAnswersMethodsAsHttpSays()
    {
        await using var server = await Served.StartAsync(TinyClip.Folder);
        foreach (string route in Gets)
        {
            using HttpResponseMessage get = await SendAsync(server, HttpMethod.Get, route), head = await SendAsync(server, HttpMethod.Head, route);
            Assert.Equal(get.StatusCode, head.StatusCode);
            Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync(Token));
            long length = (await get.Content.ReadAsByteArrayAsync(Token)).Length;
            Assert.Equal(length, get.Content.Headers.ContentLength);
            if (route != "/metrics")
            {
                Assert.Equal(length, head.Content.Headers.ContentLength);
            }
        }

        foreach (var (route, methods, allowed) in Gets.Select(r => (r, "POST PUT DELETE OPTIONS PATCH BREW", "GET, HEAD"))
            .Append(("/api/segment", "GET HEAD PUT DELETE OPTIONS", "POST")))
        {
            foreach (string method in methods.Split(' '))
            {
                using HttpResponseMessage refused = await SendAsync(server, new HttpMethod(method), route);
                Assert.Equal((HttpStatusCode.MethodNotAllowed, allowed), (refused.StatusCode, string.Join(", ", refused.Content.Headers.Allow)));
            }
        }

        foreach (string route in new[] { "/api", "/api/model/", "/API/model", "/page.html", "/../etc/passwd", "/%2e%2e/x", "/api/segment.json" })
        {
            using HttpResponseMessage none = await SendAsync(server, HttpMethod.Post, route);
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        }
    }

    [Fact]
    public async Task ThePageIsFilesThatAPolicyWithoutInlineScriptAllows()
    {
        await using var server = await Served.StartAsync(TinyClip.Folder);
        foreach (string route in Gets)
        {
            using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Get, route);
            string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none';", policy);
            Assert.DoesNotContain("unsafe", policy);
            Assert.DoesNotContain("*", policy);
            foreach (var (name, value) in new[] { ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin") })
            {
                Assert.Equal(value, answer.Headers.GetValues(name).Single());
            }
        }

        string html = await server.Client.GetStringAsync(new Uri("", UriKind.Relative), Token);
        Assert.DoesNotMatch("(?i)<style|\\sstyle=|\\son[a-z]+=|javascript:|<script(?![^>]* src=)", html);
        string[] linked = [.. Links().Matches(html).Select(m => "/" + m.Groups[1].Value)];
        Assert.Equal(["/icon.svg", "/page.css", "/page.js"], linked);
        string script = await server.Client.GetStringAsync(new Uri("page.js", UriKind.Relative), Token) + await server.Client.GetStringAsync(
            new Uri("server.js", UriKind.Relative), Token);
        Assert.DoesNotMatch("innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\b|https?:", script);
        Assert.All(new[] { "api/model", "api/scene", "api/segment", "labels.js", "server.js" }, address => Assert.Contains($"{address}", script));

        using var again = new HttpRequestMessage(HttpMethod.Get, "page.js");
        using HttpResponseMessage first = await SendAsync(server, HttpMethod.Get, "/page.js");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using HttpResponseMessage second = await server.Client.SendAsync(again, Token);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task ATokenIsAskedFor()
    {
        await using var server = await Served.StartAsync(
            TinyClip.Folder, settings => settings with { Token = AccessToken.Read("--token", "s3cret-Word", null) });
        foreach (string route in Gets.Append("/api/segment"))
        {
            bool open = Pages.Contains(route) || route == "/healthz";
            using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Get, route);
            Assert.Equal(open ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal(open ? "" : "Bearer", answer.Headers.WwwAuthenticate.FirstOrDefault()?.Scheme ?? "");
        }

        foreach (var (sent, expected) in new[]
        {
            ("Bearer s3cret-Word", HttpStatusCode.OK), ("bearer  s3cret-Word", HttpStatusCode.OK), ("Bearer s3cret-Wor", HttpStatusCode.Unauthorized),
            ("Bearer s3cret-Word2", HttpStatusCode.Unauthorized),
            ("Bearer s3cret-word", HttpStatusCode.Unauthorized),
            ("s3cret-Word", HttpStatusCode.Unauthorized),
            ("Basic s3cret-Word", HttpStatusCode.Unauthorized), ("Bearer", HttpStatusCode.Unauthorized), ("Bearer ", HttpStatusCode.Unauthorized),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/model");
            request.Headers.TryAddWithoutValidation("Authorization", sent);
            using HttpResponseMessage answer = await server.Client.SendAsync(request, Token);
            Assert.Equal(expected, answer.StatusCode);
        }

        Assert.Equal(
            "expected the server's token (Authorization: Bearer TOKEN).",
            await server.RefusedAsync(server.PostAsync(Picture, "cat"), HttpStatusCode.Unauthorized));
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret-Word");
        await server.SegmentAsync(Picture, "cat");
        Assert.Equal(4 + 7 + 1, await server.MetricAsync("ldvc_rejected_total{reason=\"token\"}"));
        Assert.DoesNotContain("s3cret", server.Output);
    }

    [Theory]
    [InlineData(null, null, "")]
    [InlineData("word", null, "")]
    [InlineData(null, "word", "")]
    [InlineData("", "word", "--token: expected a token of letters, digits and signs (ASCII, no blanks), found nothing.")]
    [InlineData(null, "", "LDVC_TOKEN: expected a token of letters, digits and signs (ASCII, no blanks), found nothing.")]
    [InlineData("two words", null, "--token: expected a token of letters, digits and signs (ASCII, no blanks), found something else.")]
    [InlineData("caf\u00e9", null, "--token: expected a token of letters, digits and signs (ASCII, no blanks), found something else.")]
    public void TokensThatCannotBeSent(string? option, string? variable, string expected) =>
        Assert.Equal(expected, Error(() => AccessToken.Read("--token", option, variable)));

    [Fact]
    public async Task MetricsAreInPrometheusFormat()
    {
        await using var server = await Served.StartAsync(TinyClip.Folder);
        await server.SegmentAsync(Picture, "cat");
        await server.RefusedAsync(server.PostAsync([1, 2, 3], "cat"));
        using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Get, "/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Dictionary<string, double> series = Parse(await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal(1, series["ldvc_http_requests_total{route=\"/api/segment\",status=\"200\"}"]);
        Assert.Equal(1, series["ldvc_http_requests_total{route=\"/api/segment\",status=\"400\"}"]);
        Assert.Equal(1, series["ldvc_rejected_total{reason=\"input\"}"]);
        Assert.Equal(0, series["ldvc_rejected_total{reason=\"queue\"}"]);
        Assert.Equal((1, 1, 0, 1), (series["ldvc_pictures_total"], series["ldvc_http_requests_in_flight"], series["ldvc_queue_length"],
            series["ldvc_segment_seconds_count"]));
        Assert.True(series["process_resident_memory_bytes"] > 1e7);
        Assert.Equal(2, series["ldvc_http_request_seconds_count{route=\"/api/segment\"}"]);
        Assert.InRange(series["ldvc_http_request_seconds_sum{route=\"/api/segment\"}"], 1e-6, 60);

        double below = 0;
        foreach (var (name, value) in series.Where(
            s => s.Key.StartsWith("ldvc_http_request_seconds_bucket{route=\"/api/segment\"", StringComparison.Ordinal)))
        {
            Assert.True(value >= below, name);
            below = value;
        }

        Assert.Equal(2, below);
    }

    [Fact]
    public async Task TheLogHasALineForEachRequestAndNoNames()
    {
        await using (var server = await Served.StartAsync(TinyClip.Folder))
        {
            await server.SegmentAsync(Picture, "my secret cat");
            using RawConnection raw = await server.ConnectAsync(
                "GET /a%0a%1b%5b31m%e2%80%ae?token=x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 404", await raw.ReadToEndAsync());
            await server.LoggedAsync(" 404 ");
            string[] lines = server.Output.TrimEnd().Split(Environment.NewLine);
            Assert.Equal(2, lines.Length);
            Assert.Matches(
                @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 127\.0\.0\.1 POST /api/segment 200 \d+ B \d+\.\d{3} s  \d+x\d+, 1 classes, \d+\.\d\d s computed$",
                lines[0]);
            Assert.Matches(@" GET /a\?\?\[31m\? 404 \d+ B \d+\.\d{3} s  refused: path$", lines[1]);
            Assert.All(lines, line => Assert.DoesNotMatch("photo|secret|token|[\\p{Cc}\\p{Cf}]", line));
        }

        await using var named = await Served.StartAsync(TinyClip.Folder, settings => settings with { LogNames = true });
        await named.SegmentAsync(Picture, "\u202e\u0645\u200C\u06CC");
        await named.LoggedAsync("photo.jpg");
        Assert.Contains("  \u0645?\u06CC 100.0 %", named.Output);
    }

    // A full disk behind the log, or a closed pipe.
    [Fact]
    public async Task ALogThatCannotBeWrittenEndsNothing()
    {
        using var full = new FullWriter();
        await using var server = await Served.StartAsync(TinyClip.Folder, null, full);
        await server.SegmentAsync(Picture, "cat");
        await server.SegmentAsync(Picture, "cat");
        await Served.UntilAsync(() => server.Error.Length > 0, "a complaint");
        Assert.Equal(
            "ldvc: the request log cannot be written (No space left on device); requests are answered without it." + Environment.NewLine,
            server.Error);
        Assert.True(await server.MetricAsync("ldvc_log_lines_lost_total") >= 1);
    }

    [Theory]
    [InlineData("--max-pixels", "0", "--max-pixels: expected a whole number from 1 to 200000000, found '0'.")]
    [InlineData("--max-names", "x", "--max-names: expected a whole number from 1 to 65535, found 'x'.")]
    [InlineData("--queue", "-1", "--queue: expected a whole number from 0 to 10000, found '-1'.")]
    [InlineData("--connections", "0", "--connections: expected a whole number from 1 to 512, found '0'.")]
    [InlineData("--token", "a b", "--token: expected a token of letters")]
    public void WhatCannotBeGranted(string option, string value, string expected) =>
        Assert.Contains(
            expected, Ldvc.Tests.Cli.CommandLine.Refuses("serve", "--clip", TinyClip.Folder, option, value, "--threads", "1", "--port", "0"));

    private static async Task<HttpResponseMessage> SendAsync(Served server, HttpMethod method, string route)
    {
        // As it stands: a client would tidy the path up.
        var address = new Uri(
            $"http://localhost:{server.Port}{route}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(method, address);
        return await server.Client.SendAsync(request, Token);
    }

    private static string Error(Action action)
    {
        try
        {
            action();
            return "";
        }
        catch (InputException e)
        {
            return e.Message;
        }
    }

    // Every series once, each after the type of its metric, in lines as the format has them.
    private static Dictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text);
        var series = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                Assert.Contains(words[3], new[] { "counter", "gauge", "histogram" });
                types.Add(words[2], words[3]);
            }
            else if (!line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                Match match = Sample().Match(line);
                Assert.True(match.Success, line);
                string name = match.Groups[1].Value, metric = Regex.Replace(name, "_(bucket|sum|count)$", "");
                Assert.True(types.ContainsKey(name) || types.GetValueOrDefault(metric) == "histogram", line);
                series.Add(name + match.Groups[2].Value, double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture));
            }
        }

        return series;
    }

    [GeneratedRegex("^([a-z_:][a-z0-9_:]*)(\\{[a-z]+=\"[^\"\\\\]*\"(?:,[a-z]+=\"[^\"\\\\]*\")*\\})? ([-+0-9.eE]+)$")]
    private static partial Regex Sample();

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Links();

    private sealed class FullWriter : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("No space left on device");
    }
}
