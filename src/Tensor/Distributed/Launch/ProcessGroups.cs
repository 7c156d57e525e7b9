using System.Globalization;
using Ldvc.Tensors.Distributed.Mpi;
using Ldvc.Tensors.Distributed.Nccl;

namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>Opens the group that a program's processes make.</summary>
internal static class ProcessGroups
{
    private static readonly string[] s_modes = [.. Enum.GetNames<DistMode>().Select(name => name.ToLowerInvariant())];

    /// <summary>Reads auto, none, mpi or nccl.</summary>
    /// <exception cref="InputException">It is none of these.</exception>
    internal static DistMode Parse(string text) => Array.IndexOf(s_modes, text) is >= 0 and var mode
        ? (DistMode)mode
        : throw new InputException($"--dist: expected auto, none, mpi or nccl, found '{text}'.");

    /// <summary>Opens the group; all processes of the job do, once in their life.</summary>
    /// <param name="mode">What --dist asks for.</param>
    /// <param name="variable">A variable of the environment, null when it is not set.</param>
    /// <param name="say">Prints a sentence for the user; called on any thread.</param>
    /// <exception cref="InputException">A launcher started several processes, but there is no library that they can find each other with.</exception>
    internal static IProcessGroup Open(DistMode mode, Func<string, string?> variable, Action<string> say)
    {
        Launcher? launcher = Launcher.Find(variable);
        bool alone = launcher is null || !launcher.HasOthers;
        if (mode == DistMode.None || (mode == DistMode.Auto && alone))
        {
            return SingleProcessGroup.Instance;
        }

        // One process needs no MPI to use NCCL.
        IProcessGroup group = mode == DistMode.Nccl && alone ? SingleProcessGroup.Instance : OpenMpi(launcher, variable, say);
        return mode == DistMode.Mpi ? group : new NcclProcessGroup(group, mode == DistMode.Nccl, NcclParts.OfMachine(variable));
    }

    private static MpiProcessGroup OpenMpi(Launcher? launcher, Func<string, string?> variable, Action<string> say)
    {
        TimeSpan silence = Silence(variable);
        MpiLibrary library = MpiSearch.Find(launcher, variable);
        var group = new MpiProcessGroup(library, silence, say);
        if (launcher is not null && !launcher.Agrees(group.Size, group.Rank))
        {
            int size = group.Size;
            group.Dispose();
            throw new InputException(MpiSearch.Disagreement(launcher, library, size));
        }

        return group;
    }

    private static TimeSpan Silence(Func<string, string?> variable)
    {
        string? text = variable(MpiProcessGroup.SilenceVariable);
        if (string.IsNullOrEmpty(text))
        {
            return TimeSpan.FromSeconds(MpiProcessGroup.Silence);
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && (seconds == 0 || seconds >= 5)
            ? TimeSpan.FromSeconds(seconds)
            : throw new InputException($"{MpiProcessGroup.SilenceVariable}: expected seconds, at least 5 or 0 for no limit, found '{text}'.");
    }
}
