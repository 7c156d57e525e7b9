using System.Globalization;
using Ldvc.Tensors.Distributed.Mpi;

namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>Who started this process as one of several, by the variables that launchers set.</summary>
/// <param name="Name">For people.</param>
/// <param name="Family">Whose library its processes must load; null when it works with several.</param>
/// <param name="Size">How many processes it started; null when it does not say.</param>
/// <param name="Rank">Which of them this one is; null when it does not say.</param>
/// <param name="Evidence">The variable that tells, with its value.</param>
internal sealed record Launcher(string Name, MpiFamily? Family, int? Size, int? Rank, string Evidence)
{
    private const string SlurmName = "srun of Slurm";

    /// <summary>Whether there may be other processes.</summary>
    internal bool HasOthers => Size is null or > 1;

    /// <summary>Reads the variables; null when no launcher started this process.</summary>
    /// <param name="variable">A variable's value, null when it is not set.</param>
    internal static Launcher? Find(Func<string, string?> variable)
    {
        // The most particular first: mpirun within a job of Slurm leaves Slurm's variables where they are, and srun of Slurm sets those of PMI.
        return Read("mpirun of Open MPI", MpiFamily.OpenMpi, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK")
            ?? Read("mpirun of MVAPICH", MpiFamily.Mpich, "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK")
            ?? (variable("SLURM_STEP_ID") is null
                ? Read("mpirun of MPICH", MpiFamily.Mpich, "PMI_SIZE", "PMI_RANK") : Read(SlurmName, null, "PMI_SIZE", "PMI_RANK"))
            ?? Slurm()
            ?? (Number("PMIX_RANK") is { } place ? new Launcher("a launcher with PMIx", null, null, place, $"PMIX_RANK={place}") : null);

        Launcher? Read(string name, MpiFamily? family, string size, string rank) =>
            Number(size) is { } count and > 0 ? new Launcher(name, family, count, Number(rank), $"{size}={count}") : null;

        Launcher? Slurm()
        {
            // The script of sbatch and the shell of salloc have SLURM_NTASKS, too, but are one process: only srun starts steps.
            if (variable("SLURM_STEP_NUM_TASKS") is not null)
            {
                return Read(SlurmName, null, "SLURM_STEP_NUM_TASKS", "SLURM_PROCID");
            }

            bool script = variable("SLURM_JOB_ID") is not null && variable("SLURM_STEP_ID") is null;
            return script ? null : Read(SlurmName, null, "SLURM_NTASKS", "SLURM_PROCID");
        }

        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
    }

    /// <summary>Whether a process that believes to be one of this many is where this launcher put it.</summary>
    internal bool Agrees(int size, int rank) => (Size ?? size) == size && (Size is not null || Rank is null || Rank == rank);

    /// <summary>"mpirun of Open MPI with 4 processes (OMPI_COMM_WORLD_SIZE=4)".</summary>
    public override string ToString() =>
        Size is { } size ? $"{Name} with {size} process{(size == 1 ? "" : "es")} ({Evidence})" : $"{Name} ({Evidence})";

    /// <summary>Refuses to run what is one process several times.</summary>
    /// <param name="what">What runs in one process, e.g. "ldvc demo".</param>
    /// <param name="launcher">The launcher, if there is one.</param>
    /// <exception cref="InputException">The launcher started several.</exception>
    internal static void RefuseOthers(string what, Launcher? launcher)
    {
        if (launcher is { Size: > 1 })
        {
            throw new InputException(
                $"{what} runs in one process, found {launcher}: start it without the launcher; train, eval, segment and ablate run in several.");
        }
    }
}
