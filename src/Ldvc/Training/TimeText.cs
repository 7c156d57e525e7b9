namespace Ldvc.Training;

/// <summary>Spans of time for people.</summary>
internal static class TimeText
{
    /// <summary>"45 s", "12 min 5 s", "1 h 23 min", "2 d 4 h": the two largest units.</summary>
    internal static string Span(double seconds)
    {
        long whole = (long)Math.Min(Math.Round(seconds), long.MaxValue / 2);
        (long days, long hours, long minutes, long rest) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
        return days > 0 ? $"{days} d {hours} h" : hours > 0 ? $"{hours} h {minutes} min" : minutes > 0 ? $"{minutes} min {rest} s" : $"{rest} s";
    }
}
