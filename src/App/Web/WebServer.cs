using System.Net;
using System.Net.Sockets;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ldvc.App.Web;

/// <summary>
/// The HTTP server of `ldvc serve`. It starts from an empty builder: no settings files, no environment variables and no log of its own, so that what it does is
/// what the command line says.
/// </summary>
internal sealed class WebServer : IAsyncDisposable
{
    /// <summary>Maximum bytes of a request.</summary>
    internal const int MaxBytes = 64 << 20;

    private const int MaxConnections = 32;

    private readonly WebApplication _application;

    private WebServer(WebApplication application, int port) => (_application, Port) = (application, port);

    /// <summary>The port it listens on: the one asked for, or the one it got for 0.</summary>
    internal int Port { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="address">One of this machine's addresses.</param>
    /// <param name="port">The port; 0 = any free one.</param>
    /// <param name="api">Answers requests.</param>
    /// <exception cref="InputException">The address is not this machine's, or the port is taken.</exception>
    internal static async Task<WebServer> StartAsync(IPAddress address, int port, SegmentationApi api)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Listen(address, port);
        });
        builder.Services.AddRoutingCore();

        // Pictures stay in memory: a file that was only looked at leaves nothing on the disk.
        builder.Services.Configure<FormOptions>(form => (form.MultipartBodyLengthLimit, form.MemoryBufferThreshold) = (MaxBytes, MaxBytes));

        // Ctrl-C is handled by the program; a picture that is being computed is finished.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMinutes(10));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        WebApplication application = builder.Build();
        api.Map(application, address);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new InputException($"cannot listen on port {port} of {address} ({e.Message.TrimEnd('.')}); expected a free port (--port; 0 = any) of an address of this machine (--host).", e);
        }

        string bound = application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return new WebServer(application, new Uri(bound).Port);
    }

    /// <summary>Lets the answer in progress end, then stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
