using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;
using Ldvc.Tensors.Distributed.Mpi;
using Ldvc.Tensors.Distributed.Nccl;

namespace Ldvc.App.Doctor;

/// <summary>What there is for jobs of several processes.</summary>
internal static class JobFacts
{
    private const string MpiSubject = "mpi";
    private const string NcclSubject = "nccl";

    /// <summary>The libraries of MPI and NCCL, and who started this process.</summary>
    public static IEnumerable<Finding> Collect() => Collect(Environment.GetEnvironmentVariable);

    /// <summary>The same with other variables of the environment.</summary>
    internal static IEnumerable<Finding> Collect(Func<string, string?> variable)
    {
        var launcher = Launcher.Find(variable);
        yield return Mpi(launcher, variable);
        yield return Nccl(variable);
        yield return new Finding(
            "launcher", FindingState.Info, launcher?.ToString() ?? "none: one process (mpirun -n 4 ldvc ... starts four, docs/distributed.md)");
    }

    private static Finding Mpi(Launcher? launcher, Func<string, string?> variable)
    {
        IReadOnlyList<(string File, MpiLibrary? Library, string Why)> all = MpiSearch.All(variable);
        string[] found = [.. all.Where(one => one.Library is not null).Select(one => $"{one.File} = {one.Library!.Version}, {one.Library.Abi.Name}")];
        if (found.Length == 0)
        {
            string why = variable(MpiSearch.Variable) is { Length: > 0 } named
                ? $"{MpiSearch.Variable}={named}: {all[0].Why}"
                : $"no {string.Join(", ", all.Select(one => one.File))}";
            return new Finding(MpiSubject, FindingState.Absent, $"{why}; Debian: openmpi-bin or mpich");
        }

        string used = "";
        if (launcher is not null)
        {
            try
            {
                used = $"; this launcher's processes use {MpiSearch.Find(launcher, variable).File}";
            }
            catch (InputException e)
            {
                return new Finding(MpiSubject, FindingState.Absent, e.Message);
            }
        }

        return new Finding(MpiSubject, FindingState.Ok, string.Join("; ", found) + used);
    }

    private static Finding Nccl(Func<string, string?> variable)
    {
        try
        {
            return NcclLibrary.TryLoad(NcclLibrary.Files(variable), out string why) is { } library
                ? new Finding(NcclSubject, FindingState.Ok, $"{library.File} = {library.Version}")
                : new Finding(NcclSubject, FindingState.Absent, $"{why}; only needed between CUDA devices (libnccl2 of NVIDIA's packages)");
        }
        catch (Exception e) when (e is InputException or ProcessGroupException)
        {
            return new Finding(NcclSubject, FindingState.Absent, e.Message);
        }
    }
}
