using Ldvc.Inference;

namespace Ldvc.Training;

/// <summary>How a training run, or the part of one that this process did, ended.</summary>
public sealed record TrainingOutcome
{
    /// <summary>Whether all steps are done and evaluated; false when it was interrupted.</summary>
    public required bool Finished { get; init; }

    /// <summary>Steps done in all.</summary>
    public required long Step { get; init; }

    /// <summary>Steps done by this process.</summary>
    public required long StepsHere { get; init; }

    /// <summary>Seconds of training in this process, evaluation not counted.</summary>
    public required double Seconds { get; init; }

    /// <summary>Training pictures per second.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Seconds of those that the step waited for pictures.</summary>
    public required double DataWaitSeconds { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The newest checkpoint; null when none was written yet.</summary>
    public required string? Checkpoint { get; init; }

    /// <summary>The checkpoint with the highest validation score; null without train.keep_best, or when none was scored yet.</summary>
    public string? Best { get; init; }

    /// <summary>The loss of the last step of this process; null when it took none.</summary>
    public required double? Loss { get; init; }

    /// <summary>The final scores; null when it was interrupted.</summary>
    public required Scores? Scores { get; init; }

    /// <summary>For --json.</summary>
    internal object ToJson() => new
    {
        Finished,
        Step,
        StepsHere,
        Seconds,
        ImagesPerSecond,
        DataWaitSeconds,
        Folder,
        Checkpoint,
        Best,
        Loss,
        Scores = Scores is null ? null : ScoreTable.ToJson(Scores),
    };
}
