using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>The files of the page. They are part of the program, know nothing of the model, and need no token.</summary>
internal static class PageFiles
{
    private static readonly Dictionary<string, PageFile> Files = new[]
    {
        new PageFile("/", "page.html", "text/html; charset=utf-8"),
        new PageFile("/page.css", "page.css", "text/css; charset=utf-8"),
        new PageFile("/page.js", "page.js", "text/javascript; charset=utf-8"),
        new PageFile("/server.js", "server.js", "text/javascript; charset=utf-8"),
        new PageFile("/labels.js", "labels.js", "text/javascript; charset=utf-8"),
        new PageFile("/icon.svg", "icon.svg", "image/svg+xml"),
    }.ToDictionary(file => file.Route);

    /// <summary>Their addresses.</summary>
    internal static IEnumerable<string> Routes => Files.Keys;

    /// <summary>Sends one of them; a browser that has it already is told so.</summary>
    internal static Task SendAsync(HttpContext context, string route)
    {
        PageFile file = Files[route];
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return Answer.SendAsync(context, file.ContentType, file.Bytes);
    }

    private sealed record PageFile
    {
        internal PageFile(string route, string name, string contentType)
        {
            (Route, ContentType) = (route, contentType);
            using Stream stream = typeof(PageFiles).Assembly.GetManifestResourceStream($"Ldvc.Web.{name}")!;
            Bytes = new byte[stream.Length];
            stream.ReadExactly(Bytes);
            Tag = $"\"{Convert.ToHexString(SHA256.HashData(Bytes).AsSpan(0, 8))}\"";
        }

        internal string Route { get; }

        internal string ContentType { get; }

        internal byte[] Bytes { get; }

        internal string Tag { get; }
    }
}
