using System.Globalization;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;

namespace Ldvc.Lab.Reports;

/// <summary>The page of an evaluation: means, notes, what each class is taken for, the confusion matrix, a few pictures.</summary>
internal sealed class EvaluationReport
{
    /// <summary>Pictures on the page.</summary>
    internal const int MaxPictures = 4;

    private const int LongestSide = 480;
    private const int MaxMistakes = 100;

    private readonly List<(string Id, RgbImage Picture, LabelMap Truth, LabelMap Labels)> _pictures = [];

    /// <summary>Keeps a picture for the page, if it is among the first.</summary>
    internal void Add(string id, RgbImage picture, LabelMap truth, LabelMap labels)
    {
        if (_pictures.Count >= MaxPictures)
        {
            return;
        }

        double scale = Math.Min(1, (double)LongestSide / Math.Max(picture.Width, picture.Height));
        int width = Math.Max(1, (int)Math.Round(scale * picture.Width)), height = Math.Max(1, (int)Math.Round(scale * picture.Height));
        LabelMap Small(LabelMap map) => ResizeNearest.Apply(map, width, height, NearestRule.TopLeft);
        _pictures.Add((id, ResizeLinear.Apply(picture, width, height), Small(truth), Small(labels)));
    }

    /// <summary>Writes the page.</summary>
    /// <param name="path">The HTML file.</param>
    /// <param name="title">What was evaluated.</param>
    /// <param name="scores">Its scores.</param>
    /// <param name="confusion">Its matrix.</param>
    /// <param name="dataset">The data set.</param>
    /// <param name="notes">Sentences to know before the scores are believed.</param>
    /// <param name="facts">How it was made.</param>
    /// <exception cref="Tensors.InputException">The file cannot be written.</exception>
    internal void Save(
        string path,
        string title,
        Scores scores,
        Confusion confusion,
        SegmentationDataset dataset,
        IEnumerable<string> notes,
        IEnumerable<(string Name, string Value)> facts)
    {
        var report = new HtmlReport("Evaluation", title);
        report.AddCards(
            new ReportCard("mIoU, seen", Percent(scores.Seen)),
            new ReportCard("mIoU, unseen", Percent(scores.Unseen)),
            new ReportCard("hIoU", Percent(scores.Harmonic), IsMain: true),
            new ReportCard("mIoU", Percent(scores.MeanIoU)),
            new ReportCard("pixel accuracy", Percent(scores.PixelAccuracy)));
        foreach (string note in notes)
        {
            report.AddParagraph("Note: " + note);
        }

        ClassList classes = dataset.Classes;
        TakenFor?[] mistakes = Diagnosis.Mistakes(confusion, classes);
        report.AddHeading("Classes").AddTable(
            "IoU, the share of a class's pixels that are found, and what most of the others are taken for; in percent",
            ["class", "", "IoU", "found", "pixels", "mostly taken for", "share"],
            [.. scores.Classes.Select((c, i) => (string[])[c.Name, c.Seen ? "seen" : "unseen", Percent(c.IoU), Percent(c.Accuracy), $"{c.Pixels}",
                mistakes[i]?.Name ?? "-", Percent(mistakes[i]?.Share ?? double.NaN)])]);
        if (classes.Count <= ClassList.MaxInBytes)
        {
            report.AddHeading("Confusion matrix").AddMatrix(
                "A row is a class of the truth, a column what its pixels are taken for; the last column is no class. Rows add up to 100 %; cells "
                    + "under 0.5 % are left out.",
                [.. classes], [.. classes, Diagnosis.Background], Shares(confusion));
        }
        else
        {
            report.AddHeading("Most frequent mistakes").AddTable(
                $"{classes.Count} classes are too many for a picture of the matrix: these are its {MaxMistakes} largest entries beside the diagonal, "
                    + "in percent of the class's pixels",
                ["class", "taken for", "pixels", "share"],
                [.. Mistakes(confusion).Select(m => (string[])[
                    classes[m.Truth], m.Predicted < classes.Count ? classes[m.Predicted] : Diagnosis.Background, $"{m.Pixels}",
                    Percent((double)m.Pixels / confusion.Truth(m.Truth))])]);
        }

        Pictures(report, classes);
        report.AddHowMade(facts).Save(path);
    }

    private void Pictures(HtmlReport report, ClassList classes)
    {
        if (_pictures.Count == 0)
        {
            return;
        }

        report.AddHeading("The first pictures");
        foreach ((string id, RgbImage picture, LabelMap truth, LabelMap labels) in _pictures)
        {
            report.AddPictureRow(
                id,
                new ReportPicture("picture", picture),
                new ReportPicture("truth", LabelPicture.Colour(truth)),
                new ReportPicture("labels", LabelPicture.Colour(labels)));
        }

        int[] shown = [.. _pictures.SelectMany(p => p.Truth.ClassesPresent().Concat(p.Labels.ClassesPresent())).Distinct().Order()];
        report.AddLegend(shown.Select(label =>
        {
            (byte r, byte g, byte b) = LabelPalette.Bright[label];
            return new LegendEntry(classes[label], r, g, b);
        }));
    }

    private static IEnumerable<(int Truth, int Predicted, long Pixels)> Mistakes(Confusion confusion) =>
        confusion.Pairs().Where(pair => pair.Truth != pair.Predicted).OrderByDescending(pair => pair.Pixels).Take(MaxMistakes);

    private static double[,] Shares(Confusion confusion)
    {
        var shares = new double[confusion.Classes, confusion.Classes + 1];
        for (int truth = 0; truth < confusion.Classes; truth++)
        {
            long pixels = confusion.Truth(truth);
            for (int predicted = 0; predicted <= confusion.Classes && pixels > 0; predicted++)
            {
                shares[truth, predicted] = (double)confusion.Counts[(truth * (confusion.Classes + 1)) + predicted] / pixels;
            }
        }

        return shares;
    }

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
