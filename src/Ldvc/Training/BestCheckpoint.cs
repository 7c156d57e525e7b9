using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// The checkpoint with the highest validation score of a run, kept beside the others as best.safetensors; best.json says which score, its value and
/// the step. The copy is written before the note, and both before the evaluation counts as done: a run that is killed in between evaluates the step
/// again when it is resumed.
/// </summary>
internal sealed class BestCheckpoint
{
    private const string FileName = "best.safetensors";
    private const string NoteName = "best.json";

    private readonly string _folder;
    private readonly BestScore _score;

    /// <summary>Goes on from what an earlier part of the run kept.</summary>
    /// <param name="folder">The run's folder of checkpoints.</param>
    /// <param name="score">Which score counts; <see cref="BestScore.None"/> = nothing is kept.</param>
    /// <param name="resumedStep">The step the run goes on from: what was kept of later ones, or by another score, does not count.</param>
    internal BestCheckpoint(string folder, BestScore score, long resumedStep)
    {
        (_folder, _score) = (folder, score);
        if (score != BestScore.None && ReadNote() is { } note && note.Step <= resumedStep && File.Exists(Path))
        {
            (Value, Step) = (note.Value, note.Step);
        }
    }

    /// <summary>The file.</summary>
    internal string Path => PathIn(_folder);

    /// <summary>The highest score so far; null before the first.</summary>
    internal double? Value { get; private set; }

    /// <summary>Its step.</summary>
    internal long Step { get; private set; }

    /// <summary>Where a folder of checkpoints holds the best one.</summary>
    internal static string PathIn(string folder) => System.IO.Path.Combine(folder, FileName);

    /// <summary>What files are called that a killed process was writing.</summary>
    internal static string[] Leftovers => [$".{FileName}.*.tmp", $".{NoteName}.*.tmp"];

    /// <summary>Refuses a score that the data set cannot have: the best of many NaN is none.</summary>
    /// <exception cref="InputException">It needs unseen classes and there are none.</exception>
    internal static void Check(BestScore score, int unseen, string place)
    {
        if (score is BestScore.Hiou or BestScore.MiouUnseen && unseen == 0)
        {
            throw new InputException(
                $"{place}train.keep_best is {ConfigWriter.EnumName(score)}, expected miou: the data set has no unseen classes.");
        }
    }

    /// <summary>Keeps the checkpoint if its score is higher than any before.</summary>
    /// <param name="scores">Of its evaluation.</param>
    /// <param name="checkpoint">Its file.</param>
    /// <param name="step">Its step.</param>
    /// <returns>Whether it is the best now.</returns>
    /// <exception cref="InputException">The copy cannot be written.</exception>
    internal bool Offer(Scores scores, string checkpoint, long step)
    {
        double value = Of(scores);
        if (_score == BestScore.None || double.IsNaN(value) || value <= Value)
        {
            return false;
        }

        AtomicFile.Write(Path, stream =>
        {
            using FileStream source = PlainFile.Open(checkpoint);
            source.CopyTo(stream);
        });
        JsonText.Write(System.IO.Path.Combine(_folder, NoteName), new { Score = ConfigWriter.EnumName(_score), Value = value, Step = step });
        (Value, Step) = (value, step);
        return true;
    }

    /// <summary>"hiou 65.0 % at step 2000".</summary>
    internal string Describe() => FormattableString.Invariant($"{ConfigWriter.EnumName(_score)} {100 * Value:0.0} % at step {Step}");

    /// <summary>
    /// Why scores say nothing of the kind that counts; null when they do. Of classes without a pixel in the truth the IoU is 0 as soon as one is
    /// predicted: the first such evaluation would stay the best for ever.
    /// </summary>
    internal string? Missing(Scores scores)
    {
        string? none = _score switch
        {
            BestScore.Hiou => Without(scores, seen: false) ?? Without(scores, seen: true),
            BestScore.MiouUnseen => Without(scores, seen: false),
            _ => null,
        };
        return none is null
            ? null
            : $"train.keep_best is {ConfigWriter.EnumName(_score)}, but no pixel of {none} class occurs in the validation pictures";
    }

    private static string? Without(Scores scores, bool seen)
    {
        ClassScore[] classes = [.. scores.Classes.Where(c => c.Seen == seen)];
        return classes.Length == 0 || Array.Exists(classes, c => c.Pixels > 0) ? null : seen ? "a seen" : "an unseen";
    }

    private double Of(Scores scores) => _score switch
    {
        _ when Missing(scores) is not null => double.NaN,
        BestScore.Hiou => scores.Harmonic,
        BestScore.Miou => scores.MeanIoU,
        BestScore.MiouUnseen => scores.Unseen,
        _ => double.NaN,
    };

    private (double Value, long Step)? ReadNote()
    {
        try
        {
            return JsonText.Read<(double, long)?>(System.IO.Path.Combine(_folder, NoteName), note =>
                note.GetProperty("score").GetString() == ConfigWriter.EnumName(_score) && note.GetProperty("value").GetDouble() is var value
                    && double.IsFinite(value)
                    ? (value, note.GetProperty("step").GetInt64())
                    : null);
        }
        catch (InputException)
        {
            return null;
        }
    }
}
