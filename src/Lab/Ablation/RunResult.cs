using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Ablation;

/// <summary>The four scores of method.md, shares of 1.</summary>
internal sealed record ScoreLine(double PixelAccuracy, double Seen, double Unseen, double Harmonic)
{
    internal static ScoreLine From(Scores scores) => new(scores.PixelAccuracy, scores.Seen, scores.Unseen, scores.Harmonic);
}

/// <summary>Scores after some of a run's steps.</summary>
internal sealed record CurveScore(long Step, ScoreLine Scores);

/// <summary>Scores under one seen penalty.</summary>
internal sealed record PenaltyScore(double Penalty, ScoreLine Scores);

/// <summary>
/// The scores of one trained model of the comparison. Kept as a file beside the runs, so that a comparison that was stopped repeats nothing.
/// </summary>
internal sealed record RunResult
{
    /// <summary>SHA-256 over everything the numbers depend on; another one means the file is of another comparison.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The variant's key.</summary>
    public required string Variant { get; init; }

    /// <summary>Seed of the training.</summary>
    public required long Seed { get; init; }

    /// <summary>Name of the split of the classes; null for the configuration's own.</summary>
    public string? Split { get; init; }

    /// <summary>With the configuration's seen penalty (method.md 9).</summary>
    public required ScoreLine Scores { get; init; }

    /// <summary>Without it.</summary>
    public required ScoreLine NoPenalty { get; init; }

    /// <summary>With every class given another class's embedding: a control: what is left when names mean nothing.</summary>
    public required ScoreLine Shuffled { get; init; }

    /// <summary>The same without the penalty.</summary>
    public required ScoreLine ShuffledNoPenalty { get; init; }

    /// <summary>The sweep over penalties; empty when there is none.</summary>
    public required PenaltyScore[] Penalties { get; init; }

    /// <summary>Mean pieces that the prediction cuts a ground-truth object into.</summary>
    public required double PiecesPerObject { get; init; }

    /// <summary>Those of at least a patch's area.</summary>
    public required double LargePiecesPerObject { get; init; }

    /// <summary>Mean pieces of the right class of an object that was found.</summary>
    public required double RightPiecesPerFound { get; init; }

    /// <summary>Pictures scored.</summary>
    public required int Pictures { get; init; }

    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Median over the run's log of the training pictures per second.</summary>
    public required double TrainImagesPerSecond { get; init; }

    /// <summary>The checkpoint that was scored.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>Scores at the steps of ablate.curve, the last step among them; null when it names none.</summary>
    public CurveScore[]? Curve { get; init; }

    /// <summary>
    /// The program that scored it, and trained it where <see cref="TrainedBy"/> does not say otherwise; null when nobody knows what trained it.
    /// </summary>
    public Origin? Origin { get; init; }

    /// <summary>The programs that trained it, each once; null in files from before such were kept, and of the CLIP alone.</summary>
    public Origin[]? TrainedBy { get; init; }

    /// <summary>The file's result; null when there is none, it is damaged, or belongs to another comparison: then it is made anew.</summary>
    internal static RunResult? Load(string path, string fingerprint) =>
        ResultFile.Load<RunResult>(path) is { } result && result.Fingerprint == fingerprint ? result : null;
}

/// <summary>Small records as JSON files.</summary>
internal static class ResultFile
{
    /// <summary>Reads a record; null when the file is missing or damaged.</summary>
    internal static T? Load<T>(string path)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonText.Read<T>(path) : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>Writes a record, creating its folder.</summary>
    internal static void Save(string path, object record)
    {
        Imaging.OutputFolder.Create(Path.GetDirectoryName(path)!);
        JsonText.Write(path, record);
    }
}
