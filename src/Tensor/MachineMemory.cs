using System.Globalization;

namespace Ldvc.Tensors;

/// <summary>
/// The memory that is left on Linux, which gives addresses for more and kills the process when it writes to them. Other systems say themselves that
/// there is no more.
/// </summary>
internal static class MachineMemory
{
    private const long Unknown = long.MaxValue;
    private const long Kilobyte = 1024;

    // What control groups of both versions call their limit, what is used of it, and files that are kept in memory until it is wanted.
    private static readonly GroupFiles s_first = new("memory.limit_in_bytes", "memory.usage_in_bytes", ["total_inactive_file", "total_active_file"]);
    private static readonly GroupFiles s_second = new("memory.max", "memory.current", ["inactive_file", "active_file"]);

    /// <summary>
    /// Bytes that the machine, and the container around this process, still have, swap space included; the largest number if nobody says.
    /// </summary>
    internal static long Left() => OperatingSystem.IsLinux() ? Left("/proc", "/sys/fs/cgroup") : Unknown;

    /// <summary>The same by the files that Linux describes itself in.</summary>
    /// <param name="proc">The folder of meminfo and self/cgroup.</param>
    /// <param name="groups">The folder of the control groups, of version 1 or 2.</param>
    internal static long Left(string proc, string groups)
    {
        string[] machine = Lines(Path.Combine(proc, "meminfo"));
        long left = Kilobytes(machine, "MemAvailable:") is { } available ? available + Cached(proc) : Unknown;
        long swap = Kilobytes(machine, "SwapFree:") ?? 0;
        foreach (string line in Lines(Path.Combine(proc, "self", "cgroup")))
        {
            // "0::/path" of version 2, "4:memory:/path" of version 1.
            string[] parts = line.Split(':', 3);
            if (parts is ["0", "", var unified])
            {
                left = Math.Min(left, LeftOf(groups, unified, s_second));
            }
            else if (parts.Length == 3 && parts[1].Split(',').Contains("memory"))
            {
                left = Math.Min(left, LeftOf(Path.Combine(groups, "memory"), parts[2], s_first));
            }
        }

        return left > Unknown - swap ? Unknown : left + swap;
    }

    // A group is bound by those that it lies in. A container may see its own as the root, under the path that the host knows.
    private static long LeftOf(string root, string path, GroupFiles files)
    {
        long least = Unknown;
        for (string at = path.Trim('/'); ; at = at[..Math.Max(0, at.LastIndexOf('/'))])
        {
            string folder = Path.Combine(root, at);
            if (Number(Lines(Path.Combine(folder, files.Limit))) is { } limit && Number(Lines(Path.Combine(folder, files.Usage))) is { } used)
            {
                string[] parts = Lines(Path.Combine(folder, "memory.stat"));
                least = Math.Min(least, Math.Max(0, limit - used + files.Reclaimable.Sum(key => Number(Values(parts, key)) ?? 0)));
            }

            if (at.Length == 0)
            {
                return least;
            }
        }
    }

    // The cache of ZFS gives way like others, and is not among what the system calls available.
    private static long Cached(string proc)
    {
        string[] lines = Lines(Path.Combine(proc, "spl", "kstat", "zfs", "arcstats"));
        return Values(lines, "size") is [_, var size] && Values(lines, "c_min") is [_, var least]
            && Number([size]) is { } now && Number([least]) is { } kept
                ? Math.Max(0, now - kept)
                : 0;
    }

    private static long? Kilobytes(string[] lines, string key) =>
        Values(lines, key) is [var number, "kB"] && Number([number]) is { } count && count < Unknown / Kilobyte ? count * Kilobyte : null;

    private static string[] Values(string[] lines, string key) =>
        [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(words => words.FirstOrDefault() == key, [])
            .Skip(1)];

    // "max" is no limit.
    private static long? Number(string[] texts) =>
        texts is [var text, ..] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;

    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private sealed record GroupFiles(string Limit, string Usage, string[] Reclaimable);
}
