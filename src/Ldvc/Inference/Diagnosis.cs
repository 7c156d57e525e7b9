using Ldvc.Configuration;
using Ldvc.Data;

namespace Ldvc.Inference;

/// <summary>What the truth of a class is mostly taken for when it is not recognised.</summary>
/// <param name="Name">The other class, or "background" for no class.</param>
/// <param name="Share">Share of the class's pixels, 0 to 1.</param>
internal sealed record TakenFor(string Name, double Share);

/// <summary>Something to know before scores are believed.</summary>
/// <param name="Kind">"no-labels", "class-without-pixels", "shifted-labels" or "other-names".</param>
/// <param name="Text">A sentence.</param>
internal sealed record ScoreNote(string Kind, string Text);

/// <summary>What a confusion matrix tells besides scores.</summary>
internal static class Diagnosis
{
    /// <summary>How pixels of no class are called, which are in the last column.</summary>
    internal const string Background = "background";

    private const int Shown = 8;

    /// <summary>For each class what it is mostly taken for; null for a class that does not occur or is never mistaken.</summary>
    internal static TakenFor?[] Mistakes(Confusion confusion, ClassList classes) =>
        [.. Enumerable.Range(0, confusion.Classes).Select(c => Mistake(confusion, classes, c))];

    /// <summary>The notes on an evaluation.</summary>
    /// <param name="confusion">Its matrix.</param>
    /// <param name="classes">The data set's names.</param>
    /// <param name="trained">The checkpoint's.</param>
    internal static IReadOnlyList<ScoreNote> Notes(Confusion confusion, ClassList classes, ClassList trained)
    {
        var notes = new List<ScoreNote>();
        string[] absent = [.. Enumerable.Range(0, classes.Count).Where(c => confusion.Truth(c) == 0).Select(c => classes[c])];
        if (absent.Length == classes.Count)
        {
            notes.Add(new ScoreNote("no-labels", "no pixel of these pictures has a label, so there is nothing to score"));
        }
        else if (absent.Length > 0)
        {
            notes.Add(new ScoreNote("class-without-pixels", $"no pixel of {Few(absent)} occurs, so "
                + $"{(absent.Length == 1 ? "its score says" : "their scores say")} nothing"));
        }

        if (LabelShift.Find(confusion, classes) is { } shift)
        {
            notes.Add(new ScoreNote("shifted-labels", shift));
        }

        string[] unknown = Without(classes, trained), missing = Without(trained, classes);
        if (unknown.Length + missing.Length > 0)
        {
            string[] parts =
            [
                .. unknown.Length > 0 ? new[] { $"{Few(unknown)} of the data set {(unknown.Length == 1 ? "is" : "are")} not in the checkpoint" } : [],
                .. missing.Length > 0 ? new[] { $"{Few(missing)} of the checkpoint {(missing.Length == 1 ? "is" : "are")} not in the data set" } : [],
            ];
            notes.Add(new ScoreNote("other-names", $"the class names differ from the checkpoint's: {string.Join("; ", parts)}"));
        }

        return notes;
    }

    /// <summary>Names of one list that are neither names nor synonyms of another.</summary>
    private static string[] Without(ClassList classes, ClassList others) => [.. classes.Where(name => others.IndexOf(name) < 0)];

    private static TakenFor? Mistake(Confusion confusion, ClassList classes, int truth)
    {
        ReadOnlySpan<long> row = confusion.Counts.AsSpan(truth * (confusion.Classes + 1), confusion.Classes + 1);
        int most = -1;
        for (int predicted = 0; predicted < row.Length; predicted++)
        {
            if (predicted != truth && row[predicted] > 0 && (most < 0 || row[predicted] > row[most]))
            {
                most = predicted;
            }
        }

        return most < 0 ? null : new TakenFor(most < confusion.Classes ? classes[most] : Background, (double)row[most] / confusion.Truth(truth));
    }

    private static string Few(string[] names)
    {
        string text = string.Join(", ", names.Take(Shown).Select(ConfigText.Quote));
        return names.Length > Shown ? $"{text} and {names.Length - Shown} more" : text;
    }
}
