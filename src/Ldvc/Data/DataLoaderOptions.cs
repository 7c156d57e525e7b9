using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>How batches are made.</summary>
internal sealed record DataLoaderOptions
{
    /// <summary>Pictures per batch.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Threads that read and augment.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Batches made ahead of the one being waited for, itself included.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>Seed of order and augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>The first batch's iteration: a resumed run continues where it was.</summary>
    public long StartIteration { get; init; }

    /// <summary>This process's number among several that share the work.</summary>
    public int Rank { get; init; }

    /// <summary>Number of processes that share the work: iteration i takes Ranks * BatchSize samples in all.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Checks every range.</summary>
    /// <exception cref="InputException">A value is out of its range.</exception>
    public void Validate()
    {
        Require(BatchSize is >= 1 and <= 65536, $"batch size {BatchSize}, expected 1 to 65536");
        Require(Workers is >= 1 and <= 1024, $"{Workers} workers, expected 1 to 1024");
        Require(Prefetch is >= 1 and <= 1024, $"prefetch {Prefetch}, expected 1 to 1024");
        Require(StartIteration >= 0, $"start iteration {StartIteration}, expected at least 0");
        Require(Ranks >= 1 && Rank >= 0 && Rank < Ranks, $"rank {Rank} of {Ranks}, expected 0 <= rank < ranks");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InputException($"data loader: {message}");
        }
    }
}
