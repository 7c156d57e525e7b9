namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>
/// Who made a library: a launcher starts processes of its own family, and a process with another family's library believes to be alone.
/// </summary>
internal enum MpiFamily
{
    /// <summary>Open MPI.</summary>
    OpenMpi,

    /// <summary>MPICH and what descends from it: Intel MPI, MVAPICH, Cray MPICH.</summary>
    Mpich,
}
