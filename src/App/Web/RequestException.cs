namespace Ldvc.App.Web;

/// <summary>A request that is not served: a status code, a word for the statistics, and a sentence for whoever sent it.</summary>
/// <param name="status">The status code.</param>
/// <param name="reason">One of <see cref="RejectReasons"/>.</param>
/// <param name="sentence">What was expected, and what was found.</param>
/// <param name="inner">What went wrong below.</param>
internal sealed class RequestException(int status, string reason, string sentence, Exception? inner = null) : Exception(sentence, inner)
{
    /// <summary>The status code.</summary>
    internal int Status { get; } = status;

    /// <summary>The label of ldvc_rejected_total.</summary>
    internal string Reason { get; } = reason;

    /// <summary>Seconds after which to try again; 0 = it makes no sense to.</summary>
    internal int RetryAfter { get; init; }
}

/// <summary>Why requests are not served, as /metrics and the log say it.</summary>
internal static class RejectReasons
{
    internal const string Bytes = "bytes";
    internal const string Connections = "connections";
    internal const string Deadline = "deadline";
    internal const string Ending = "ending";
    internal const string Host = "host";
    internal const string Input = "input";
    internal const string Internal = "internal";
    internal const string Memory = "memory";
    internal const string Method = "method";
    internal const string Names = "names";
    internal const string Origin = "origin";
    internal const string Path = "path";
    internal const string Pixels = "pixels";
    internal const string Queue = "queue";
    internal const string Token = "token";
    internal const string Type = "type";

    /// <summary>All of them: a series that has not happened yet is 0, not absent.</summary>
    internal static readonly string[] All =
    [
        Bytes, Connections, Deadline, Ending, Host, Input, Internal, Memory, Method, Names, Origin, Path, Pixels, Queue, Token, Type,
    ];
}
