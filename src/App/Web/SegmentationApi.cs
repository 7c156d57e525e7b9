using System.Globalization;
using System.Net;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// The page of `ldvc serve` and its requests: GET / (the page), GET /api/model, GET /api/scene?index=N, POST /api/segment (a form with image, classes
/// and
/// perhaps background). Answers are JSON in snake_case; whatever is wrong with a request is one sentence in "error".
/// </summary>
/// <param name="service">Computes.</param>
/// <param name="output">Gets a line a picture.</param>
/// <param name="error">Gets a line when something in here is wrong.</param>
/// <param name="cancellation">Set when the program ends.</param>
internal sealed class SegmentationApi(SegmentationService service, TextWriter output, TextWriter error, CancellationToken cancellation)
{
    private const int ClassesShown = 3;
    private const string Page = "Ldvc.Web.page.html";

    // Everything the page needs is in it: nothing is fetched from anywhere else, whatever a class or file is called.
    private const string ContentPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private int _pictures;

    /// <summary>Pictures labelled so far.</summary>
    internal int Pictures => _pictures;

    /// <summary>Adds the addresses to a server.</summary>
    /// <param name="application">The server.</param>
    /// <param name="address">
    /// Where it listens. If that is this machine alone, requests under any other name are refused, so that no web page elsewhere can reach it by a name of its own.
    /// </param>
    internal void Map(WebApplication application, IPAddress address)
    {
        bool local = IPAddress.IsLoopback(address);
        string own = new HostString($"{address}", 1).Host;
        application.Use(async (context, next) =>
        {
            string asked = context.Request.Host.Host;
            if (local && asked != own && asked is not ("localhost" or "127.0.0.1" or "[::1]"))
            {
                await RefuseAsync(context, StatusCodes.Status400BadRequest, "expected a request to localhost.").ConfigureAwait(false);
            }
            else if (IsForeign(context.Request))
            {
                await RefuseAsync(context, StatusCodes.Status403Forbidden, "expected a request from this page, found one from another site.").ConfigureAwait(false);
            }
            else
            {
                await GuardAsync(context, next).ConfigureAwait(false);
            }
        });
        application.MapGet("/", SendPageAsync);
        application.MapGet("/api/model", context => SendAsync(context, service.Describe()));
        application.MapGet("/api/scene", context => SendAsync(context, service.Scene(Index(context.Request))));
        application.MapPost("/api/segment", SegmentAsync);
        application.MapFallback("{*path}", context => RefuseAsync(context, StatusCodes.Status404NotFound, "expected /, /api/model, /api/scene or /api/segment."));
    }

    private static async Task SendPageAsync(HttpContext context)
    {
        using Stream page = typeof(SegmentationApi).Assembly.GetManifestResourceStream(Page)!;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = ContentPolicy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await page.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    private static Task SendAsync(HttpContext context, object answer) => context.Response.WriteAsJsonAsync(answer, answer.GetType(), JsonText.Format, context.RequestAborted);

    private static Task RefuseAsync(HttpContext context, int status, string sentence)
    {
        context.Response.StatusCode = status;
        return SendAsync(context, new { Error = sentence });
    }

    // A link to the page may stand anywhere; what a page elsewhere sends or fetches by itself says so in one of these. The scheme may be that of a proxy in between.
    private static bool IsForeign(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        bool link = HttpMethods.IsGet(request.Method) && request.Path == "/" && request.Headers["Sec-Fetch-Mode"] == "navigate";
        return (!link && request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none")) || (origin.Length > 0 && !origin.EndsWith($"://{request.Host}", StringComparison.Ordinal));
    }

    private static int Index(HttpRequest request) =>
        int.TryParse(request.Query["index"], NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : throw new InputException("index: expected a whole number.");

    private async Task SegmentAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            throw new InputException("expected a form (multipart/form-data) with image and classes.");
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, cancellation);
        IFormCollection form = await ReadFormAsync(context, stop.Token).ConfigureAwait(false);
        IFormFile file = form.Files["image"] ?? throw new InputException("image: expected a picture's file, found none.");
        ClassList classes = ClassList.FromText(form["classes"].ToString(), "classes");
        double? background = Background(form["background"].ToString());
        var encoded = new byte[file.Length];
        using (Stream stream = file.OpenReadStream())
        {
            await stream.ReadExactlyAsync(encoded, stop.Token).ConfigureAwait(false);
        }

        string name = Path.GetFileName(file.FileName);
        SegmentationAnswer answer = await service.SegmentAsync(name.Length > 0 ? name : "image", encoded, classes, background, stop.Token).ConfigureAwait(false);
        Interlocked.Increment(ref _pictures);
        string size = $"{answer.Result.Width}x{answer.Result.Height}, {classes.Count} names";
        Log(string.Create(CultureInfo.InvariantCulture, $"{answer.Result.Image}  {size}  {answer.Seconds:F2} s  {answer.Result.Describe(ClassesShown)}"));
        await SendAsync(context, answer.ToJson()).ConfigureAwait(false);
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpContext context, CancellationToken stop)
    {
        try
        {
            return await context.Request.ReadFormAsync(stop).ConfigureAwait(false);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw new InputException($"expected a whole form ({e.Message.TrimEnd('.')}).", e);
        }
    }

    private static double? Background(string text) => text.Length == 0 ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1 ? value
        : throw new InputException($"background: expected a number from 0 to 1, found {ConfigText.Quote(text)}.");

    // What a request throws becomes its answer, and the server goes on.
    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "the program is ending.").ConfigureAwait(false);
        }
        catch (InputException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, e.Message).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? $"expected at most {WebServer.MaxBytes >> 20} MiB." : e.Message).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, e.Message).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The last line of defence: one request's failure must not end the server.
        catch (Exception e)
#pragma warning restore CA1031
        {
            error.WriteLine($"ldvc: internal error, this is a bug: {e.GetType().Name}: {e.Message}");
            if (!context.Response.HasStarted)
            {
                await RefuseAsync(context, StatusCodes.Status500InternalServerError, "internal error, this is a bug: the program's own output says more.").ConfigureAwait(false);
            }
        }
    }

    private void Log(string line)
    {
        lock (output)
        {
            output.WriteLine(string.Concat(line.Where(c => !char.IsControl(c))));
            output.Flush();
        }
    }
}
