using System.Globalization;
using System.Net;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// What `ldvc serve` can be asked: the page, GET /api/model, GET /api/scene?index=N, POST /api/segment (a form with image, classes and perhaps
/// background), /healthz and
/// /metrics. Answers are JSON in snake_case; whatever is wrong with a request is one sentence in "error".
/// </summary>
/// <param name="service">Computes.</param>
/// <param name="settings">What is granted.</param>
/// <param name="metrics">What has been done so far.</param>
/// <param name="held">Bytes of requests.</param>
/// <param name="stop">Set when requests in progress are to end.</param>
internal sealed class SegmentationApi(
    SegmentationService service, ServerSettings settings, ServerMetrics metrics, HeldBytes held, CancellationToken stop)
{
    private const string TextType = "text/plain; charset=utf-8";
    private readonly byte[] _model = Answer.Json(service.Describe());
    private volatile bool _ending;

    /// <summary>From here on nothing new is begun; what waits or is computed is finished.</summary>
    internal void End() => _ending = true;

    /// <summary>Adds the addresses.</summary>
    internal void AddTo(Routes routes)
    {
        foreach (string file in PageFiles.Routes)
        {
            routes.Add(file, HttpMethods.Get, open: true, context => PageFiles.SendAsync(context, file));
        }

        routes.Add("/healthz", HttpMethods.Get, open: true, HealthAsync);
        routes.Add("/metrics", HttpMethods.Get, open: false, context => Answer.SendTextAsync(context, ServerMetrics.ContentType, metrics.ToText()));
        routes.Add("/api/model", HttpMethods.Get, open: false, context => Answer.SendJsonAsync(context, _model));
        routes.Add(
            "/api/scene", HttpMethods.Get, open: false, context => Answer.SendJsonAsync(context, Answer.Json(service.Scene(Index(context.Request)))));
        routes.Add("/api/segment", HttpMethods.Post, open: false, SegmentAsync);
    }

    private static int Index(HttpRequest request) =>
        int.TryParse(request.Query["index"], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index
            : throw new InputException($"index: expected a whole number of at least 0, found {ConfigText.Quote(request.Query["index"].ToString())}.");

    private static double? Background(string text) => text.Length == 0 ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1 ? value
        : throw new InputException($"background: expected a number from 0 to 1, found {ConfigText.Quote(text)}.");

    private static IPAddress AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address ? ConnectionGate.Origin(address) : IPAddress.None;

    private Task HealthAsync(HttpContext context)
    {
        RefuseAtTheEnd();
        return Answer.SendTextAsync(context, TextType, "ok\n");
    }

    private void RefuseAtTheEnd()
    {
        if (_ending)
        {
            throw new RequestException(StatusCodes.Status503ServiceUnavailable, RejectReasons.Ending, "the program is ending.") { RetryAfter = 10 };
        }
    }

    private async Task SegmentAsync(HttpContext context)
    {
        RefuseAtTheEnd();
        service.Turn.CheckPlace(AddressOf(context));
        try
        {
            LabelledPicture labelled = await LabelAsync(context).ConfigureAwait(false);
            metrics.Segmented(labelled.Seconds);
            RequestPipeline.Annotate(context, labelled.Describe(settings.LogNames));
            await SendAsync(context, labelled.Json).ConfigureAwait(false);
        }
        finally
        {
            service.RestLater();
        }
    }

    // A threshold in the address would be overlooked, and the labels be others than were asked for.
    private static void RefuseQuery(HttpRequest request)
    {
        if (request.Query.Keys.FirstOrDefault() is { } key)
        {
            throw new InputException($"{ConfigText.Quote(key)} stands in the address; expected image, classes and perhaps background in the form.");
        }
    }

    private async Task<LabelledPicture> LabelAsync(HttpContext context)
    {
        RefuseQuery(context.Request);
        using var given = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop);
        using UploadForm form = await ReadAsync(context, given.Token).ConfigureAwait(false);
        ClassList classes = ClassList.FromText(form.Classes, "classes");
        if (classes.Texts.Length > settings.Limits.MaxNames)
        {
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                RejectReasons.Names,
                $"classes: {classes.Texts.Length} names and synonyms, expected at most {settings.Limits.MaxNames}.");
        }

        double? background = Background(form.Background);
        CheckSize(form);
        return await service.SegmentAsync(AddressOf(context), form.Name, form.Picture, classes, background, given.Token).ConfigureAwait(false);
    }

    private async Task<UploadForm> ReadAsync(HttpContext context, CancellationToken given)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(given);
        reading.CancelAfter(settings.Limits.BodyDeadline);
        try
        {
            return await UploadForm.ReadAsync(context.Request, held, reading.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!given.IsCancellationRequested)
        {
            throw new RequestException(
                StatusCodes.Status408RequestTimeout,
                RejectReasons.Deadline,
                $"expected the whole form within {settings.Limits.BodyDeadline.TotalSeconds:0.#} s.",
                e);
        }
    }

    // By the header alone, and before any waiting: a file of some KB may claim gigabytes.
    private void CheckSize(UploadForm form)
    {
        var (width, height) = PictureSize.Of(form.Picture.Span, form.Name);
        if (width < 1 || height < 1 || (long)width * height > settings.Limits.MaxPixels)
        {
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                RejectReasons.Pixels,
                $"{form.Name}: {width}x{height} pixels, expected at most {settings.Limits.MaxPixels} in all.");
        }
    }

    private async Task SendAsync(HttpContext context, byte[] json)
    {
        held.Force(json.Length);
        using var deadline = new CancellationTokenSource(settings.Limits.AnswerDeadline);
        try
        {
            // A client that reads too slowly loses the connection; what it has got is no whole answer.
            await using (deadline.Token.Register(context.Abort).ConfigureAwait(false))
            {
                await Answer.SendJsonAsync(context, json).ConfigureAwait(false);
            }
        }
        finally
        {
            held.Give(json.Length);
        }
    }
}
