using Microsoft.AspNetCore.Http;

namespace Ldvc.App.Web;

/// <summary>
/// What can be asked for, and how. An address that is none is 404, a method that it has not 405 with those it has; what answers GET answers HEAD.
/// </summary>
internal sealed class Routes
{
    /// <summary>What requests for no known address are counted as.</summary>
    internal const string Other = "other";

    private readonly Dictionary<string, Route> _routes = new(StringComparer.Ordinal);

    /// <summary>All addresses.</summary>
    internal IEnumerable<string> Paths => _routes.Keys;

    /// <summary>Adds an address.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="method">GET, which adds HEAD, or POST.</param>
    /// <param name="open">Whether it needs no token.</param>
    /// <param name="handler">Answers.</param>
    internal void Add(string path, string method, bool open, RequestDelegate handler) =>
        _routes.Add(path, new Route(HttpMethods.IsGet(method) ? [HttpMethods.Get, HttpMethods.Head] : [method], open, handler));

    /// <summary>The address that a path is counted as.</summary>
    internal string Label(PathString path) => _routes.ContainsKey(path.Value ?? "") ? path.Value! : Other;

    /// <summary>Whether a path may be asked for without the token; what does not exist may.</summary>
    internal bool IsOpen(PathString path) => !_routes.TryGetValue(path.Value ?? "", out Route? route) || route.Open;

    /// <summary>Answers a request.</summary>
    /// <exception cref="RequestException">There is no such address, or it has another method.</exception>
    internal Task RunAsync(HttpContext context)
    {
        if (!_routes.TryGetValue(context.Request.Path.Value ?? "", out Route? route))
        {
            throw new RequestException(
                StatusCodes.Status404NotFound, RejectReasons.Path, $"expected {string.Join(", ", Paths.SkipLast(1))} or {Paths.Last()}.");
        }

        if (route.Methods.Contains(context.Request.Method))
        {
            return route.Handler(context);
        }

        string allowed = string.Join(", ", route.Methods);
        context.Response.Headers.Allow = allowed;
        throw new RequestException(StatusCodes.Status405MethodNotAllowed, RejectReasons.Method, $"expected {string.Join(" or ", route.Methods)}.");
    }

    private sealed record Route(string[] Methods, bool Open, RequestDelegate Handler);
}
