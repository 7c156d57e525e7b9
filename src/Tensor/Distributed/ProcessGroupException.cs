namespace Ldvc.Tensors.Distributed;

/// <summary>
/// An operation of a process group failed: a process or the connection to it is gone, or the library refuses. Nothing of the user's input is wrong;
/// the program prints the sentence and ends with exit code 75, "try again".
/// </summary>
internal sealed class ProcessGroupException : Exception
{
    /// <summary>"Try again": EX_TEMPFAIL of sysexits.h.</summary>
    internal const int ExitCode = 75;

    /// <summary>Creates the error.</summary>
    /// <param name="operation">What failed, e.g. "MPI_Allreduce".</param>
    /// <param name="rank">The process that says so.</param>
    /// <param name="reason">Why, in the library's words.</param>
    internal ProcessGroupException(string operation, int rank, string reason)
        : base($"{operation} on rank {rank}: {reason}")
    {
    }

    /// <summary>Creates the error with its cause.</summary>
    internal ProcessGroupException(string operation, int rank, string reason, Exception inner)
        : base($"{operation} on rank {rank}: {reason}", inner)
    {
    }

    /// <summary>The same error, thrown on the thread that waits for what failed on another.</summary>
    internal ProcessGroupException(ProcessGroupException cause)
        : base(cause.Message, cause)
    {
    }
}
