using System.Diagnostics.CodeAnalysis;

namespace Ldvc.Tensors.Distributed;

/// <summary>
/// The processes of one job, seen from one of them. A program of one process has a group of one (<see cref="SingleProcessGroup"/>), so whoever
/// computes need not ask.
/// </summary>
/// <remarks>
/// <para>
/// Every operation but <see cref="Abort"/> is one of all processes: each calls the same operations in the same order, with the same lengths (where
/// nothing else is said) and the same root, one thread at a time. Sums of the same number of processes twice are the same bits, and the same bits on
/// every process.
/// </para>
/// <para>
/// A process that cannot go on calls nothing of this: it throws, and whoever opened the group ends the job (the program does so for every verb: the
/// others stop within seconds, and one of them prints one sentence with the rank). A process that waits for one that is gone gets a <see
/// cref="ProcessGroupException"/>, not an endless wait. <see cref="IDisposable.Dispose"/> is an operation of all processes, too, for the normal end:
/// no <c>using</c>, which would wait for the others after an exception.
/// </para>
/// </remarks>
internal interface IProcessGroup : IDisposable
{
    /// <summary>This process's number: 0 .. <see cref="Size"/> - 1. Rank 0 writes files and talks.</summary>
    int Rank { get; }

    /// <summary>How many processes there are.</summary>
    int Size { get; }

    /// <summary>This process's number among those of its node.</summary>
    int LocalRank { get; }

    /// <summary>How many processes its node has.</summary>
    int LocalSize { get; }

    /// <summary>What carries the data, e.g. "2 processes, Open MPI 4.1.4"; for people.</summary>
    string Description { get; }

    /// <summary>How long this process has waited for operations of the group since the start, the waits of pending sums included.</summary>
    TimeSpan TimeInCommunication { get; }

    /// <summary>Replaces every value by its sum over the processes.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    void Sum(Span<float> values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    void Sum(Span<double> values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    void Sum(Span<long> values);

    /// <summary>Replaces every value by its largest over the processes.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    void Max(Span<double> values);

    /// <inheritdoc cref="Max(Span{double})"/>
    void Max(Span<long> values);

    /// <summary>Overwrites the bytes with those of the root.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    void Broadcast(Span<byte> data, int root);

    /// <summary>Brings everybody's bytes, of any lengths, to the root: one array for each rank there, null elsewhere.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    byte[][]? Gather(ReadOnlySpan<byte> data, int root);

    /// <summary>Brings everybody's bytes, of any lengths, to everybody: one array for each rank.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    byte[][] AllGather(ReadOnlySpan<byte> data);

    /// <summary>Returns when all processes have called it.</summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    void Barrier();

    /// <summary>
    /// Starts <see cref="Sum(Span{float})"/> and returns at once: the sum runs while the caller computes. The values belong to the group until
    /// <see cref="IPendingSum.Wait"/> has returned. Other operations may be called meanwhile.
    /// </summary>
    IPendingSum BeginSum(Memory<float> values);

    /// <summary>
    /// The same for a tensor of float32, bf16 or fp16 on any device. On a GPU it sums what the work queued so far makes of the tensor, and work
    /// queued after <see cref="IPendingSum.Wait"/> sees the sum: with NCCL the host waits for neither, else the values pass through the host.
    /// </summary>
    /// <exception cref="ArgumentException">The elements are of another type.</exception>
    IPendingSum BeginSum(Tensor values);

    /// <summary>
    /// Says which device this process computes on, once, before the first sum of its tensors; all processes call it. Where they are CUDA devices and
    /// NCCL is wanted and there, sums of their tensors go from card to card.
    /// </summary>
    /// <exception cref="InputException">NCCL was asked for and cannot be had, or two processes use one card.</exception>
    void Use(Device device);

    /// <summary>Ends the whole job now. Only whoever opened the group calls it.</summary>
    /// <param name="exitCode">The job's exit code.</param>
    /// <param name="sentence">Why, said once, by rank 0, with this process's rank in front; null when it was said.</param>
    [DoesNotReturn]
    void Abort(int exitCode, string? sentence);
}

/// <summary>A sum that was begun.</summary>
internal interface IPendingSum
{
    /// <summary>
    /// Returns when the values are the sum (of a tensor on a GPU: when whatever is queued from now on sees it); once more does nothing.
    /// </summary>
    /// <exception cref="ProcessGroupException">The operation failed, or a process is gone.</exception>
    void Wait();
}
