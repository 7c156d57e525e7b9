using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;

namespace Ldvc.App.Terminal;

/// <summary>The processes that run one command line together; one, unless a launcher started several.</summary>
internal sealed class Job
{
    /// <summary>The group.</summary>
    public IProcessGroup Group { get; private set; } = SingleProcessGroup.Instance;

    /// <summary>This process's share of its node's cores; null when the node is all its own.</summary>
    public CpuShare? Share { get; private set; }

    /// <summary>Whether there are several processes, one of which speaks for all.</summary>
    public bool IsShared => Group.Size > 1;

    /// <summary>Opens the group before the verb runs.</summary>
    /// <param name="mode">What --dist asks for.</param>
    /// <param name="say">Prints a sentence on the error stream.</param>
    public void Open(DistMode mode, Action<string> say)
    {
        Group = ProcessGroups.Open(mode, Environment.GetEnvironmentVariable, say);
        Share = IsShared ? CpuShare.Find(Group) : null;
    }

    /// <summary>The normal end: all processes get here, and none leaves before.</summary>
    public void Close()
    {
        Group.Dispose();
        Group = SingleProcessGroup.Instance;
    }

    /// <summary>What the job is, for the first line.</summary>
    public string Describe()
    {
        int threads = Share?.Threads ?? Environment.ProcessorCount;
        string bound = Share is { Sharers: 1 } share && share.Cores * Group.LocalSize < MachineCores()
            ? $"; the launcher binds each to {share.Cores} of {MachineCores()} cores (Open MPI: mpirun --bind-to none)"
            : "";
        return $"{Group.Description}, {threads} thread{(threads == 1 ? "" : "s")} each{bound}";
    }

    private static int MachineCores()
    {
        try
        {
            return Directory.GetDirectories("/sys/devices/system/cpu", "cpu*").Count(path => char.IsAsciiDigit(path[^1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Environment.ProcessorCount;
        }
    }
}
