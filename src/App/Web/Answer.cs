using System.Globalization;
using System.Text;
using System.Text.Json;
using Ldvc.Configuration;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>How answers are sent: whole, with their length, and without a body for HEAD.</summary>
internal static class Answer
{
    // Everything the page needs comes from this server, whatever a class or a file is called; nothing is written into the page as markup.
    private const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string JsonType = "application/json; charset=utf-8";

    /// <summary>Headers of every answer. Another site can neither frame, embed nor read it.</summary>
    internal static void AddHeaders(HttpResponse response)
    {
        IHeaderDictionary headers = response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>An object as JSON in snake_case.</summary>
    internal static byte[] Json(object answer) => JsonSerializer.SerializeToUtf8Bytes(answer, answer.GetType(), JsonText.Format);

    /// <summary>Sends JSON.</summary>
    internal static Task SendJsonAsync(HttpContext context, byte[] json) => SendAsync(context, JsonType, json);

    /// <summary>Sends text.</summary>
    internal static Task SendTextAsync(HttpContext context, string contentType, string text) =>
        SendAsync(context, contentType, Encoding.UTF8.GetBytes(text));

    /// <summary>Sends bytes.</summary>
    internal static Task SendAsync(HttpContext context, string contentType, byte[] bytes)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    /// <summary>Sends a sentence that says what is wrong, {"error": "..."}; a status of its own goes with it.</summary>
    internal static Task RefuseAsync(HttpContext context, RequestException refusal)
    {
        context.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter > 0)
        {
            context.Response.Headers.RetryAfter = refusal.RetryAfter.ToString(CultureInfo.InvariantCulture);
        }

        // The rest of a body that came too slowly is not waited for.
        if (refusal.Status is StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.Connection = "close";
        }

        return SendJsonAsync(context, Json(new { Error = refusal.Message }));
    }
}
