using System.Globalization;
using System.Runtime.InteropServices;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Reports;

namespace Ldvc.Demo;

/// <summary>The demo's HTML page.</summary>
internal static class DemoReport
{
    private const int Examples = 12;

    // Scenes are small; twice the size shows single pixels.
    private const int Magnification = 2;

    internal static void Write(string path, DemoRun run, DemoResult result, LdvcConfig config, double probe)
    {
        var scores = result.Scores;
        var report = new HtmlReport("LDVC demo: segmenting classes it never saw a mask of", "Drawn scenes, a small CLIP trained on captions only, LDVC trained on the masks of 24 seen classes")
            .AddParagraph(
                "Every picture holds textured, coloured shapes. LDVC was trained with masks of 24 classes; six others (for example \"striped blue star\") occur in the "
                + "pictures, but their masks were never shown. Both are found by name alone.")
            .AddCards(
                new ReportCard("mIoU, seen classes", Percent(scores.Seen), $"{Percent(result.WithoutPenalty.Seen)} without the seen penalty"),
                new ReportCard("mIoU, unseen classes", Percent(scores.Unseen), $"{Percent(result.WithoutPenalty.Unseen)} without the seen penalty", IsMain: true),
                new ReportCard("hIoU", Percent(scores.Harmonic), "harmonic mean of the two"),
                new ReportCard("unseen, embeddings shuffled", Percent(result.Shuffled.Unseen), $"{result.Ratio.ToString("F1", CultureInfo.InvariantCulture)} times less: the names matter"))
            .AddTable(
                "One training run, one seed; unseen scores vary by several points between seeds.",
                ["scoring", "pAcc", "mIoU(S)", "mIoU(U)", "hIoU"],
                [
                    Row($"seen penalty {config.Eval.SeenPenalty.ToString(CultureInfo.InvariantCulture)}", scores),
                    Row("no seen penalty", result.WithoutPenalty),
                    Row("class embeddings shuffled", result.Shuffled),
                ])
            .AddHeading("Pictures")
            .AddParagraph(
                "Validation scenes. Black is background, which has no label and is not scored; the last column shows what the model says without being told where the objects "
                + "are, black where no class reaches a probability of "
                + DemoRun.BackgroundBelow.ToString(CultureInfo.InvariantCulture) + ". Unseen classes are marked with *.")
            .AddLegend(Enumerable.Range(0, run.Validation.Classes.Count).Select(c => Entry(run, c)));
        AddPictures(report, run);
        report
            .AddHeading("Classes")
            .AddClassTable("Intersection over union per class", "IoU", scores.Classes.Select(c => new ClassRow(c.Name, c.IoU, !c.Seen)))
            .AddHeading("Training")
            .AddLinePlot(
                "Training loss (100 focal + 1 dice)", "step", "loss", true, [new PlotSeries("loss", [.. result.Losses.Select(l => ((double)l.Step, l.Loss))])])
            .AddHowMade(
                ("command", "ldvc demo"),
                ("seed", config.Train.Seed.ToString(CultureInfo.InvariantCulture)),
                ("training", $"{result.Steps} steps of {config.Train.Batch} scenes in {Seconds(result.TrainSeconds)}"),
                ("scoring", $"{result.Pictures} scenes, three times; {Seconds(result.TotalSeconds)} in all"),
                ("small CLIP", $"names {Percent(probe)} % of single drawn objects among the 30 classes, without LDVC"),
                ("machine", $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, .NET {Environment.Version}"))
            .Save(path);
    }

    private static string[] Row(string name, Scores s) => [name, Percent(s.PixelAccuracy), Percent(s.Seen), Percent(s.Unseen), Percent(s.Harmonic)];

    private static void AddPictures(HtmlReport report, DemoRun run)
    {
        int index = 0;
        foreach (var (picture, truth, prediction, open) in run.Examples(Examples))
        {
            // Where nothing is labelled there is nothing to be right about: the prediction is shown on objects only, as it is scored.
            var scored = new LabelMap(truth.Width, truth.Height, [.. prediction.Labels.Zip(truth.Labels, (p, t) => t == LabelMap.Ignore ? LabelMap.Ignore : p)]);
            report.AddPictureRow(
                $"{run.Validation.GetId(index++)}: {Names(truth, run)}",
                new ReportPicture("picture", Enlarge(picture)),
                new ReportPicture("truth", Enlarge(LabelPicture.Colour(truth))),
                new ReportPicture("prediction on the objects", Enlarge(LabelPicture.Colour(scored))),
                new ReportPicture("prediction everywhere, background where unsure", Enlarge(LabelPicture.Colour(open))));
        }
    }

    private static LegendEntry Entry(DemoRun run, int c)
    {
        var (r, g, b) = LabelPalette.Bright[(byte)c];
        return new LegendEntry(Name(run, c), r, g, b);
    }

    private static string Name(DemoRun run, int c) => run.Validation.Classes[c] + (run.Validation.Split.IsSeen(c) ? string.Empty : "*");

    private static string Names(LabelMap truth, DemoRun run)
    {
        var present = truth.Labels.Where(l => l != LabelMap.Ignore).Distinct().Order();
        return string.Join(", ", present.Select(l => Name(run, l)));
    }

    private static RgbImage Enlarge(RgbImage image) => LabelPicture.Enlarge(image, Magnification);

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => $"{seconds.ToString("F0", CultureInfo.InvariantCulture)} s";
}
