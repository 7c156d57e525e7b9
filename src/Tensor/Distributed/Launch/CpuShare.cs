using System.Globalization;
using System.Text;

namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>This process's share of its node's cores.</summary>
/// <param name="Threads">How many threads it should compute with, at least 1.</param>
/// <param name="Cores">How many cores it may use.</param>
/// <param name="Sharers">How many processes of the node may use one of them, this one included.</param>
internal sealed record CpuShare(int Threads, int Cores, int Sharers)
{
    private const string StatusFile = "/proc/self/status";
    private const string AllowedKey = "Cpus_allowed_list:";

    /// <summary>Finds it; a call of all processes.</summary>
    internal static CpuShare Find(IProcessGroup group)
    {
        string own = $"{Environment.MachineName} {Allowed()}";
        byte[][] all = group.AllGather(Encoding.UTF8.GetBytes(own));
        return Of(Environment.ProcessorCount, own, [.. all.Select(text => Encoding.UTF8.GetString(text))]);
    }

    /// <summary>
    /// Processes that may use the same cores share them. Launchers often give each process cores of its own (Open MPI binds two processes to a core
    /// each): then there is nothing to share.
    /// </summary>
    /// <param name="cores">The cores that this process may use.</param>
    /// <param name="own">"node list-of-cores" of this process.</param>
    /// <param name="all">The same of every process.</param>
    internal static CpuShare Of(int cores, string own, IReadOnlyList<string> all)
    {
        (string node, HashSet<int> mine) = Read(own);
        int sharers = Math.Max(
            1, all.Select(Read).Count(other => other.Node == node && (mine.Count == 0 || other.Cores.Count == 0 || other.Cores.Overlaps(mine))));
        return new CpuShare(Math.Max(1, cores / sharers), cores, sharers);
    }

    private static (string Node, HashSet<int> Cores) Read(string text)
    {
        int blank = text.LastIndexOf(' ');
        var cores = new HashSet<int>();
        foreach (string range in text[(blank + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (Number(ends[0]) is { } first && Number(ends[^1]) is { } last)
            {
                cores.UnionWith(Enumerable.Range(first, Math.Max(0, last - first + 1)));
            }
        }

        return (text[..Math.Max(0, blank)], cores);
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

    // "0-3,8"; nothing where the system does not say, and then all processes of a node share all of its cores.
    private static string Allowed()
    {
        try
        {
            return File.Exists(StatusFile)
                ? File.ReadLines(StatusFile).FirstOrDefault(
                    line => line.StartsWith(AllowedKey, StringComparison.Ordinal))?[AllowedKey.Length..].Trim() ?? ""
                : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
