using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ldvc.App.Web;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>A server of `ldvc serve` in this process on a free port, and a client of it.</summary>
internal sealed class Served : IAsyncDisposable
{
    private readonly LdvcCheckpoint? _checkpoint;
    private readonly CpuDevice _device = new(1);
    private readonly TextWriter _output;
    private readonly StringWriter _lines = new();
    private readonly StringWriter _error = new();
    private WebServer? _server;

    // A folder is a CLIP alone.
    private Served(string checkpoint, ServerLimits limits, TextWriter? output)
    {
        bool alone = Directory.Exists(checkpoint);
        _checkpoint = alone ? null : LdvcCheckpoint.Open(checkpoint);
        Held = new HeldBytes(limits.MaxHeld);
        Service = new SegmentationService(
            alone
                ? SegmentationModel.OfClip(new ClipConfig { Path = checkpoint }, _device, new TrainingFreeConfig(), new EvalConfig())
                : SegmentationModel.Trained(_checkpoint!, _device, null),
            limits,
            Held);
        _output = output ?? TextWriter.Synchronized(_lines);
    }

    public HttpClient Client { get; } = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(2) });

    public SegmentationService Service { get; }

    public HeldBytes Held { get; }

    public int Port => _server!.Port;

    public string Error => _error.ToString();

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _lines.ToString();
            }
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Starts a server.</summary>
    /// <param name="checkpoint">A checkpoint, or the folder of a CLIP alone.</param>
    /// <param name="change">Changes the settings.</param>
    /// <param name="output">Gets the log; null = <see cref="Output"/>.</param>
    public static async Task<Served> StartAsync(string checkpoint, Func<ServerSettings, ServerSettings>? change = null, TextWriter? output = null)
    {
        var settings = new ServerSettings(IPAddress.Loopback, 0);
        settings = change?.Invoke(settings) ?? settings;
        var served = new Served(checkpoint, settings.Limits, output);
        served._server = await WebServer.StartAsync(settings, served.Service, served.Held, served._output, served._error);
        served.Client.BaseAddress = new Uri($"http://localhost:{served._server.Port}/");
        return served;
    }

    public async Task<JsonElement> GetJsonAsync(string address) =>
        JsonDocument.Parse(await Client.GetStringAsync(new Uri(address, UriKind.Relative), Token)).RootElement;

    public async Task<JsonElement> SegmentAsync(byte[] image, string names, string? background = null)
    {
        using HttpResponseMessage response = await PostAsync(image, names, background);
        string text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<HttpResponseMessage> PostAsync(byte[]? image, string? names, string? background = null, CancellationToken? cancellation = null)
    {
        using var form = new MultipartFormDataContent();
        if (image is not null)
        {
            var file = new ByteArrayContent(image);
            file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
            form.Add(file, "image", "photo.jpg");
        }

        if (names is not null)
        {
            form.Add(new StringContent(names, Encoding.UTF8), "classes");
        }

        if (background is not null)
        {
            form.Add(new StringContent(background), "background");
        }

        // Too much is refused before it is sent.
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/segment") { Content = form };
        request.Headers.ExpectContinue = image?.Length > ServerLimits.MaxBytes;
        return await Client.SendAsync(request, cancellation ?? Token);
    }

    public async Task<string> RefusedAsync(Task<HttpResponseMessage> asked, HttpStatusCode expected = HttpStatusCode.BadRequest)
    {
        using HttpResponseMessage response = await asked;
        Assert.Equal(expected, response.StatusCode);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Token)).RootElement.GetProperty("error").GetString()!;
    }

    /// <summary>A connection of one's own, on which anything can be sent.</summary>
    public async Task<RawConnection> ConnectAsync(string? sent = null)
    {
        var client = new TcpClient();
        var connection = new RawConnection(client);
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port, Token);
            await connection.SendAsync(sent ?? "");
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server has closed it already.
        }

        return connection;
    }

    /// <summary>The value of one series of /metrics.</summary>
    public async Task<double> MetricAsync(string series)
    {
        string text = await Client.GetStringAsync(new Uri("metrics", UriKind.Relative), Token);
        string line = text.Split('\n').Single(l => l.StartsWith(series + " ", StringComparison.Ordinal));
        return double.Parse(line[series.Length..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until the log holds a text: it is written by a task of its own.</summary>
    public Task LoggedAsync(string text) => UntilAsync(() => Output.Contains(text, StringComparison.Ordinal), $"'{text}' in the log");

    /// <summary>Waits for something that happens by itself.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        for (int i = 0; !holds(); i++)
        {
            Assert.True(i < 2000, "waited in vain for " + what);
            await Task.Delay(10, Token);
        }
    }

    /// <summary>Stops the server; what is in progress ends first.</summary>
    public ValueTask StopAsync() => _server!.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await StopAsync();
        Service.Dispose();
        _device.Dispose();
        _checkpoint?.Dispose();
        await _lines.DisposeAsync();
        await _error.DisposeAsync();
    }
}
