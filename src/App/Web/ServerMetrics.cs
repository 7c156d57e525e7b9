using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Ldvc.App.Web;

/// <summary>
/// What the server has done, in Prometheus' text format (version 0.0.4). Labels have a fixed set of values, so that no client can make series.
/// </summary>
internal sealed class ServerMetrics
{
    /// <summary>Content type of the format.</summary>
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<(string Route, int Status), long> _requests = [];
    private readonly ConcurrentDictionary<string, long> _rejected = new(RejectReasons.All.Select(reason => KeyValuePair.Create(reason, 0L)));
    private readonly List<(string Name, string Help, Func<double> Read)> _gauges = [];
    private readonly Dictionary<string, SecondsHistogram> _requestSeconds = [];
    private readonly SecondsHistogram _segmentSeconds = new();
    private long _inFlight;
    private long _pictures;
    private long _lostLines;

    /// <summary>Names the routes that requests are counted by.</summary>
    internal void AddRoutes(IEnumerable<string> routes)
    {
        foreach (string route in routes)
        {
            _requestSeconds.Add(route, new SecondsHistogram());
            _requests[(route, 200)] = 0;
        }
    }

    /// <summary>Pictures that were labelled.</summary>
    internal int Pictures => (int)Interlocked.Read(ref _pictures);

    /// <summary>Adds a value that is read when it is asked for.</summary>
    internal void AddGauge(string name, string help, Func<double> read) => _gauges.Add((name, help, read));

    /// <summary>A request begins.</summary>
    internal void Begin() => Interlocked.Increment(ref _inFlight);

    /// <summary>A request has been answered.</summary>
    internal void End(string route, int status, double seconds)
    {
        Interlocked.Decrement(ref _inFlight);
        _requests.AddOrUpdate((route, status), 1, (_, n) => n + 1);
        _requestSeconds[route].Add(seconds);
    }

    /// <summary>Something was refused.</summary>
    internal void Reject(string reason) => _rejected.AddOrUpdate(reason, 1, (_, n) => n + 1);

    /// <summary>A picture was labelled.</summary>
    internal void Segmented(double seconds)
    {
        Interlocked.Increment(ref _pictures);
        _segmentSeconds.Add(seconds);
    }

    /// <summary>A line of the log could not be written.</summary>
    internal void LoseLine() => Interlocked.Increment(ref _lostLines);

    /// <summary>All of it.</summary>
    internal string ToText()
    {
        var text = new StringBuilder();
        Head(text, "ldvc_http_requests_total", "counter", "Requests that were answered, by route and status code.");
        foreach (var ((route, status), count) in _requests.OrderBy(r => r.Key.Route, StringComparer.Ordinal).ThenBy(r => r.Key.Status))
        {
            text.Append(CultureInfo.InvariantCulture, $"ldvc_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}\n");
        }

        Head(text, "ldvc_rejected_total", "counter", "Requests and connections that were refused, by reason.");
        foreach (var (reason, count) in _rejected.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"ldvc_rejected_total{{reason=\"{reason}\"}} {count}\n");
        }

        Head(text, "ldvc_http_request_seconds", "histogram", "Seconds from a request's headers to the end of its answer, by route.");
        foreach (var (route, histogram) in _requestSeconds.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            histogram.Write(text, "ldvc_http_request_seconds", $"route=\"{route}\"");
        }

        Head(text, "ldvc_segment_seconds", "histogram", "Seconds of computing a picture's labels, without waiting and without files.");
        _segmentSeconds.Write(text, "ldvc_segment_seconds", "");
        Single(text, "ldvc_pictures_total", "counter", "Pictures that were labelled.", _pictures);
        Single(text, "ldvc_log_lines_lost_total", "counter", "Lines of the request log that could not be written.", _lostLines);
        Single(text, "ldvc_http_requests_in_flight", "gauge", "Requests that have not been answered yet.", _inFlight);
        foreach (var (name, help, read) in _gauges)
        {
            Single(text, name, "gauge", help, read());
        }

        Process(text);
        return text.ToString();
    }

    private static void Process(StringBuilder text)
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        double started = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        Single(text, "process_resident_memory_bytes", "gauge", "Memory of the process.", process.WorkingSet64);
        Single(text, "process_cpu_seconds_total", "counter", "Processor time of the process.", process.TotalProcessorTime.TotalSeconds);
        Single(text, "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.", started);
        Single(text, "process_threads", "gauge", "Threads of the process.", process.Threads.Count);
        Single(text, "dotnet_heap_bytes", "gauge", "Managed memory that is in use.", GC.GetTotalMemory(forceFullCollection: false));
    }

    private static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value:R}\n");
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
}
