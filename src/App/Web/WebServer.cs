using System.Net;
using System.Net.Sockets;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ldvc.App.Web;

/// <summary>
/// The HTTP server of `ldvc serve`. It starts from an empty builder: no settings files, no environment variables and no log of its own, so that what
/// it does is what the command line says.
/// </summary>
internal sealed class WebServer : IAsyncDisposable
{
    // A connection that waits to be read costs this much at most, and there may be hundreds.
    private const int MaxUnread = 128 << 10;
    private const int MaxHeaderBytes = 16 << 10;
    private const int MaxHeaders = 64;

    // After the deadline requests in progress are told to stop; this long they may take to hear it.
    private static readonly TimeSpan StopPatience = TimeSpan.FromMinutes(1);

    private readonly WebApplication _application;
    private readonly SegmentationApi _api;
    private readonly ServerLimits _limits;
    private readonly ServerMetrics _metrics;
    private readonly RequestLog _log;
    private readonly CancellationTokenSource _stop;

    private int _ended;

    private WebServer(
        WebApplication application, SegmentationApi api, ServerLimits limits, ServerMetrics metrics, RequestLog log, CancellationTokenSource stop) =>
        (_application, _api, _limits, _metrics, _log, _stop) = (application, api, limits, metrics, log, stop);

    /// <summary>The port it listens on: the one asked for, or the one it got for 0.</summary>
    internal int Port { get; private set; }

    /// <summary>Pictures labelled so far.</summary>
    internal int Pictures => _metrics.Pictures;

    /// <summary>Starts listening.</summary>
    /// <param name="settings">Where, and what is granted.</param>
    /// <param name="service">Computes.</param>
    /// <param name="held">Bytes of requests.</param>
    /// <param name="output">Gets the request log.</param>
    /// <param name="error">Gets a line when something in the server is wrong.</param>
    /// <exception cref="InputException">The address is not this machine's, or the port is taken.</exception>
    internal static async Task<WebServer> StartAsync(
        ServerSettings settings, SegmentationService service, HeldBytes held, TextWriter output, TextWriter error)
    {
        var stop = new CancellationTokenSource();
        var routes = new Routes();
        var metrics = new ServerMetrics();
        var gate = new ConnectionGate(settings.Limits, metrics);
        var api = new SegmentationApi(service, settings, metrics, held, stop.Token);
        api.AddTo(routes);
        metrics.AddRoutes(routes.Paths.Append(Routes.Other));
        metrics.AddGauge("ldvc_queue_length", "Pictures that wait for their turn.", () => service.Turn.Waiting);
        metrics.AddGauge("ldvc_held_bytes", "Bytes of uploads and answers that requests hold.", () => held.Now);
        metrics.AddGauge("ldvc_connections", "Open connections.", () => gate.Open);
        var log = new RequestLog(output, error, metrics);
        var pipeline = new RequestPipeline(routes, settings, metrics, log, error, stop.Token);
        WebApplication application = Build(settings, gate);
        application.Run(pipeline.RunAsync);
        var server = new WebServer(application, api, settings.Limits, metrics, log, stop);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw new InputException(
                $"cannot listen on port {settings.Port} of {settings.Address} ({e.Message.TrimEnd('.')}); expected a free port (--port; 0 = any) of "
                    + "an address of this machine (--host).", e);
        }

        string bound = application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        server.Port = new Uri(bound).Port;
        return server;
    }

    /// <summary>Stops listening, lets requests in progress end within the deadline, and writes the rest of the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 1)
        {
            return;
        }

        _api.End();
        _stop.CancelAfter(_limits.DrainDeadline);
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        await _log.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private static WebApplication Build(ServerSettings settings, ConnectionGate gate)
    {
        ServerLimits limits = settings.Limits;

        // The page's files are in the assembly. Without a folder of its own the builder asks for the current one, which may be gone or closed.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var rate = new MinDataRate(limits.MinRate, limits.RateGrace);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ServerLimits.MaxBytes;
            kestrel.Limits.MaxRequestBufferSize = MaxUnread;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.MaxRequestHeaderCount = MaxHeaders;
            kestrel.Limits.RequestHeadersTimeout = limits.HeaderDeadline;
            kestrel.Limits.KeepAliveTimeout = limits.IdleDeadline;
            (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (rate, rate);
            kestrel.Listen(settings.Address, settings.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => gate.RunAsync(connection, next));
            });
        });

        // Ctrl-C and SIGTERM are handled by the program.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = limits.DrainDeadline + StopPatience);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        return builder.Build();
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
