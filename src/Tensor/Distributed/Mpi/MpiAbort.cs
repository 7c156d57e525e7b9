namespace Ldvc.Tensors.Distributed.Mpi;

/// <summary>That the job is to end, and why.</summary>
/// <param name="ExitCode">The launcher's exit code.</param>
/// <param name="Sentence">What is said once for the job; null when everything is said.</param>
/// <param name="Rank">The process that asks for it.</param>
/// <param name="Size">All processes.</param>
internal sealed record MpiAbort(int ExitCode, string? Sentence, int Rank, int Size)
{
    /// <summary>How long another process than rank 0 waits for rank 0 to end the job, before it does so itself.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private int _said;

    /// <summary>Says the sentence with the rank, the first time.</summary>
    internal void Say(Action<string> say)
    {
        if (Sentence is not null && Interlocked.Exchange(ref _said, 1) == 0)
        {
            say($"rank {Rank} of {Size}: {Sentence}");
        }
    }
}
