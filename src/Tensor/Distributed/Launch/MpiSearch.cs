using Ldvc.Tensors.Distributed.Mpi;

namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>Finds the MPI library to load.</summary>
internal static class MpiSearch
{
    /// <summary>The variable that names the library.</summary>
    internal const string Variable = "LDVC_MPI_LIBRARY";

    private const string OpenMpiFile = "libmpi.so.40";

    private static readonly string[] s_standard = [MpiAbi.StandardName + ".so.1", MpiAbi.StandardName + ".so.0", MpiAbi.StandardName + ".so"];
    private static readonly string[] s_mpich = ["libmpich.so.12", "libmpi.so.12"];

    /// <summary>The file names in the order in which they are tried; those that a launcher cannot mean come last.</summary>
    internal static string[] Files(MpiFamily? family) =>
        family == MpiFamily.Mpich ? [.. s_standard, .. s_mpich, OpenMpiFile] : [.. s_standard, OpenMpiFile, .. s_mpich];

    /// <summary>Every library that is there, and why the others are not.</summary>
    internal static IReadOnlyList<(string File, MpiLibrary? Library, string Why)> All(Func<string, string?> variable)
    {
        return [.. Named(variable).Select(file => (file, TryLoad(file, out string why), why))];

        static MpiLibrary? TryLoad(string file, out string why)
        {
            try
            {
                return MpiLibrary.TryLoad(file, out why);
            }
            catch (Exception e) when (e is InputException or ProcessGroupException)
            {
                why = e.Message;
                return null;
            }
        }
    }

    /// <summary>The library for a launcher's processes: the first that is there and of the launcher's family.</summary>
    /// <param name="launcher">The launcher; null for any library.</param>
    /// <param name="variable">A variable's value, null when it is not set.</param>
    /// <exception cref="InputException">There is none, or only another family's.</exception>
    internal static MpiLibrary Find(Launcher? launcher, Func<string, string?> variable)
    {
        MpiLibrary? other = null;
        var reasons = new List<string>();
        foreach (string file in Named(variable) is [var only] ? [only] : Files(launcher?.Family))
        {
            if (MpiLibrary.TryLoad(file, out string why) is not { } found)
            {
                reasons.Add(why);
            }
            else if (launcher?.Family is null || found.Family is null || found.Family == launcher.Family)
            {
                return found;
            }
            else
            {
                other ??= found;
            }
        }

        if (variable(Variable) is { Length: > 0 } named && other is null)
        {
            throw new InputException($"{Variable}: expected an MPI library, but {named} cannot be loaded ({reasons[0]}).");
        }

        string started = launcher is null ? "--dist asks for MPI" : $"{launcher} started this process";
        throw new InputException(other is null
            ? $"{started}, but no MPI library was found (tried {string.Join(", ", Files(launcher?.Family))}): {Install(launcher?.Family)}, or name "
                + $"the library in {Variable}."
            : $"{started}, but the library found is {other.Version} ({other.File}), whose processes would not see each other: "
                + $"{Install(launcher?.Family)}, use {Mpirun(other.Family)}, or name the launcher's library in {Variable}.");
    }

    /// <summary>What to do when MPI sees another number of processes than the launcher.</summary>
    internal static string Disagreement(Launcher launcher, MpiLibrary library, int size) =>
        $"{launcher} started this process, but {library.Version} ({library.File}) sees {size}: the library is not the launcher's; use "
            + $"{Mpirun(library.Family)}"
        + $"{(launcher.Name.Contains("Slurm", StringComparison.Ordinal) ? ", srun --mpi=pmix or --mpi=pmi2," : "")} or name the launcher's library "
            + $"in {Variable}.";

    private static string[] Named(Func<string, string?> variable) => variable(Variable) is { Length: > 0 } named ? [named] : Files(null);

    private static string Install(MpiFamily? family) => family switch
    {
        MpiFamily.OpenMpi => "install Open MPI's library (Debian: libopenmpi3)",
        MpiFamily.Mpich => "install MPICH's library (Debian: libmpich12)",
        _ => "install one (Debian: openmpi-bin or mpich)",
    };

    private static string Mpirun(MpiFamily? family) => family switch
    {
        MpiFamily.OpenMpi => "the mpirun of Open MPI (Debian: mpirun.openmpi)",
        MpiFamily.Mpich => "the mpirun of MPICH (Debian: mpirun.mpich)",
        _ => "the library's own launcher",
    };
}
