using System.Diagnostics;
using System.Net;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>What surrounds every request: who may ask, what an exception is answered with, statistics and the log.</summary>
/// <param name="routes">What can be asked for.</param>
/// <param name="settings">Who may ask.</param>
/// <param name="metrics">Counts.</param>
/// <param name="log">Gets a line for each request.</param>
/// <param name="error">Gets a line when something in here is wrong.</param>
/// <param name="stop">Set when requests in progress are to end, too.</param>
internal sealed class RequestPipeline(
    Routes routes, ServerSettings settings, ServerMetrics metrics, RequestLog log, TextWriter error, CancellationToken stop)
{
    // As other servers log it; nobody gets it as an answer.
    private const int ClientGone = 499;
    private const string Note = "note";

    private static readonly string[] s_here = ["localhost", "127.0.0.1", "[::1]"];

    private readonly bool _local = IPAddress.IsLoopback(settings.Address);
    private readonly string _own = new HostString($"{settings.Address}", 1).Host;

    /// <summary>Adds to a request's line in the log.</summary>
    internal static void Annotate(HttpContext context, string note) => context.Items[Note] = note;

    /// <summary>Answers a request.</summary>
    internal async Task RunAsync(HttpContext context)
    {
        long started = Stopwatch.GetTimestamp();
        var connection = context.Features.Get<TrackedConnection>();
        connection?.Begin();
        metrics.Begin();
        int status = ClientGone;
        try
        {
            Answer.AddHeaders(context.Response);
            status = await AnswerAsync(context).ConfigureAwait(false);
        }
        finally
        {
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            connection?.End();
            metrics.End(routes.Label(context.Request.Path), status, seconds);
            string who = context.Connection.RemoteIpAddress?.ToString() ?? "-";
            string note = context.Items.TryGetValue(Note, out object? text) ? $"{text}" : "";
            log.Add(
                who,
                context.Request.Method,
                context.Request.Path.Value ?? "",
                status,
                status == ClientGone ? 0 : context.Response.ContentLength ?? 0,
                seconds,
                note);
        }
    }

    private async Task<int> AnswerAsync(HttpContext context)
    {
        RequestException refusal;
        try
        {
            Check(context);
            await routes.RunAsync(context).ConfigureAwait(false);
            return context.Response.StatusCode;
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            Annotate(context, "the client has gone");
            return ClientGone;
        }
#pragma warning disable CA1031 // The last line of defence: one request's failure must not end the server.
        catch (Exception e)
#pragma warning restore CA1031
        {
            refusal = Refusal(e);
        }

        metrics.Reject(refusal.Reason);
        Annotate(context, $"refused: {refusal.Reason}");
        if (context.Response.HasStarted)
        {
            // Half of an answer must not look like one.
            context.Abort();
            return ClientGone;
        }

        try
        {
            await Answer.RefuseAsync(context, refusal).ConfigureAwait(false);
            return refusal.Status;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return ClientGone;
        }
    }

    // What a request throws becomes its answer, and the server goes on.
    private RequestException Refusal(Exception e)
    {
        switch (e)
        {
            case RequestException own:
                return own;
            case InputException { InnerException: DeviceMemoryException or OutOfMemoryException }:
            case var any when GpuFault.IsOutOfMemory(any):
                return new RequestException(
                    StatusCodes.Status503ServiceUnavailable,
                    RejectReasons.Memory,
                    $"there is not enough memory for this picture: {e.Message}")
                { RetryAfter = 10 };
            case InputException or ExtentException:
                return new RequestException(StatusCodes.Status400BadRequest, RejectReasons.Input, e.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                return new RequestException(StatusCodes.Status408RequestTimeout, RejectReasons.Deadline, "the request came too slowly.");
            case BadHttpRequestException bad:
                return new RequestException(bad.StatusCode, RejectReasons.Input, bad.Message);
            case OperationCanceledException when stop.IsCancellationRequested:
                return new RequestException(
                    StatusCodes.Status503ServiceUnavailable, RejectReasons.Ending, "the program is ending.")
                { RetryAfter = 10 };
            default:
                error.WriteLine(RequestLog.Clean($"ldvc: internal error, this is a bug: {e.GetType().Name}: {e.Message}"));
                return new RequestException(
                    StatusCodes.Status500InternalServerError,
                    RejectReasons.Internal,
                    "internal error, this is a bug: the program's own output says more.");
        }
    }

    private void Check(HttpContext context)
    {
        // No web page elsewhere can reach a server of this machine alone by a name of its own. One that knows the token comes from a proxy that has
        // other names; a request without a name (HTTP/1.0) comes from no browser.
        string asked = context.Request.Host.Host;
        if (_local && settings.Token is null && asked.Length > 0 && !s_here.Append(_own).Contains(asked, StringComparer.OrdinalIgnoreCase))
        {
            throw new RequestException(StatusCodes.Status400BadRequest, RejectReasons.Host, "expected a request to localhost.");
        }

        if (IsForeign(context.Request))
        {
            throw new RequestException(
                StatusCodes.Status403Forbidden, RejectReasons.Origin, "expected a request from this page, found one from another site.");
        }

        if (settings.Token is { } token && !routes.IsOpen(context.Request.Path) && !token.Knows(context.Request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"ldvc\"";
            throw new RequestException(
                StatusCodes.Status401Unauthorized, RejectReasons.Token, "expected the server's token (Authorization: Bearer TOKEN).");
        }
    }

    // A link to the page may stand anywhere; what a page elsewhere sends or fetches by itself says so in one of these. The scheme may be that of a
    // proxy in between.
    private static bool IsForeign(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        bool link = HttpMethods.IsGet(request.Method) && request.Path == "/" && request.Headers["Sec-Fetch-Mode"] == "navigate";
        return (!link && request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
            || (origin.Length > 0 && !origin.EndsWith($"://{request.Host}", StringComparison.OrdinalIgnoreCase));
    }
}
