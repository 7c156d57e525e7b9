namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>What --dist asks for.</summary>
internal enum DistMode
{
    /// <summary>
    /// What the launcher's environment says: one process without a launcher, else MPI, and NCCL for CUDA devices where it is installed.
    /// </summary>
    Auto,

    /// <summary>This process alone, whatever started it.</summary>
    None,

    /// <summary>MPI, for tensors on GPUs, too.</summary>
    Mpi,

    /// <summary>NCCL between CUDA devices, MPI for everything else.</summary>
    Nccl,
}
