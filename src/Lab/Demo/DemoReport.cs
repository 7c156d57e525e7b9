using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Lab.Reports;
using Ldvc.Tensors;
using PlainFile = Ldvc.Tensors.Serialization.PlainFile;

namespace Ldvc.Lab.Demo;

/// <summary>The demo's HTML page.</summary>
internal static class DemoReport
{
    private const string Title = "LDVC demo: segmenting classes it never saw a mask of";
    private const int Examples = 12;

    // A page says within so many bytes what it is.
    private const int Head = 4096;

    // Scenes are small; twice the size shows single pixels.
    private const int Magnification = 2;

    /// <summary>Refuses a page that another verb, or somebody, has written there.</summary>
    /// <exception cref="InputException">There is one, or it cannot be read.</exception>
    internal static void RefuseOther(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        string head = Encoding.UTF8.GetString(PlainFile.ReadStart(path, Head));
        if (!head.Contains($"<title>{Title}</title>", StringComparison.Ordinal))
        {
            throw new InputException($"{path}: is there already, and is no report of the demo; expected another --out");
        }
    }

    internal static void Write(string path, DemoRun run, DemoResult result, LdvcConfig config, double probe)
    {
        MethodResult ldvc = result.Ldvc, baseline = result.Baseline;
        var report = new HtmlReport(
            Title,
            "Drawn scenes, a small CLIP trained on captions only, two methods trained on the masks of 24 seen classes")
            .AddParagraph(
                "Every picture holds textured, coloured shapes. ZegCLIP (class embeddings are the queries, patches keys and values) and LDVC (the "
                    + "reverse) were trained "
                + "with masks of 24 classes; six others (for example \"striped blue star\") occur in the pictures, but their masks were never shown. "
                    + "All are found by name alone. "
                + "The CLIP without training labels the same pictures by the same names: what training adds stands beside it.")
            .AddCards(
                new ReportCard(
                    "LDVC, mIoU of unseen classes", Percent(ldvc.Scores.Unseen), $"ZegCLIP: {Percent(baseline.Scores.Unseen)}", IsMain: true),
                new ReportCard("LDVC, mIoU of seen classes", Percent(ldvc.Scores.Seen), $"ZegCLIP: {Percent(baseline.Scores.Seen)}"),
                new ReportCard("LDVC, hIoU", Percent(ldvc.Scores.Harmonic), $"ZegCLIP: {Percent(baseline.Scores.Harmonic)}"),
                new ReportCard("unseen, embeddings shuffled", Percent(ldvc.Shuffled.Unseen), Ratio(ldvc)))
            .AddTable(
                $"95 % intervals: 1000 resamples of the {run.Validation.Count} scored scenes. One training run each: other seeds move unseen scores "
                    + "by several points more (ldvc ablate).",
                DemoTable.Headers,
                DemoTable.Rows(result))
            .AddTable(
                "The same models, scored otherwise.",
                ["scoring", "pAcc", "mIoU(S)", "mIoU(U)", "hIoU"],
                [
                    Row($"{result.TrainingFree.Name}, class embeddings shuffled", result.TrainingFree.Shuffled),
                    .. new[] { baseline, ldvc }.SelectMany(m => new[]
                    {
                        Row($"{m.Name}, no seen penalty", m.WithoutPenalty),
                        Row($"{m.Name}, class embeddings shuffled", m.Shuffled),
                    }),
                ])
            .AddHeading("Pictures")
            .AddParagraph(
                "Validation scenes. Black is background, which has no label and is not scored; the last column shows LDVC's prediction without being "
                    + "told where the objects "
                + "are, black where no class reaches a probability of "
                + DemoRun.BackgroundBelow.ToString(CultureInfo.InvariantCulture) + ". Unseen classes are marked with *.")
            .AddLegend(Enumerable.Range(0, run.Validation.Classes.Count).Select(c => Entry(run, c)));
        AddPictures(report, run);
        report
            .AddHeading("Classes")
            .AddClassTable("LDVC: intersection over union per class", "IoU", ldvc.Scores.Classes.Select(c => new ClassRow(c.Name, c.IoU, !c.Seen)))
            .AddHeading("Training")
            .AddLinePlot("Training loss (100 focal + 1 dice)", "step", "loss", true, [Series(baseline), Series(ldvc)])
            .AddHowMade(
                ("command", "ldvc demo"),
                ("seed", config.Train.Seed.ToString(CultureInfo.InvariantCulture)),
                ("training", $"{result.Steps} steps of {config.Train.Batch} scenes: ZegCLIP in {Seconds(baseline.TrainSeconds)}, LDVC in "
                    + $"{Seconds(ldvc.TrainSeconds)}"),
                ("seen penalty", config.Eval.SeenPenalty.ToString(CultureInfo.InvariantCulture)),
                ("scoring", $"{run.Validation.Count} scenes; {Seconds(result.TotalSeconds)} in all"),
                ("small CLIP", $"names {Percent(probe)} % of single drawn objects among the 30 classes, without either method"),
                ("machine", $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, .NET {Environment.Version}"))
            .Save(path);
    }

    private static string Ratio(MethodResult m) => double.IsFinite(m.Ratio)
        ? $"{m.Ratio.ToString("F0", CultureInfo.InvariantCulture)} times less: the names matter"
        : "nothing is left: the names matter";

    private static PlotSeries Series(MethodResult m) => new(m.Name, [.. m.Losses.Select(l => ((double)l.Step, l.Loss))]);

    private static string[] Row(string name, Scores s) => [name, Percent(s.PixelAccuracy), Percent(s.Seen), Percent(s.Unseen), Percent(s.Harmonic)];

    private static void AddPictures(HtmlReport report, DemoRun run)
    {
        int index = 0;
        foreach (var (picture, truth, baseline, ldvc, open) in run.Examples(Examples))
        {
            report.AddPictureRow(
                $"{run.Validation.GetId(index++)}: {Names(truth, run)}",
                new ReportPicture("picture", Enlarge(picture)),
                new ReportPicture("truth", Enlarge(LabelPicture.Colour(truth))),
                new ReportPicture("ZegCLIP, on the objects", Enlarge(LabelPicture.Colour(OnObjects(baseline, truth)))),
                new ReportPicture("LDVC, on the objects", Enlarge(LabelPicture.Colour(OnObjects(ldvc, truth)))),
                new ReportPicture("LDVC everywhere, background where unsure", Enlarge(LabelPicture.Colour(open))));
        }
    }

    // Where nothing is labelled there is nothing to be right about: the prediction is shown on objects only, as it is scored.
    private static LabelMap OnObjects(LabelMap prediction, LabelMap truth) =>
        new(truth.Width, truth.Height, [.. prediction.Labels.Zip(truth.Labels, (p, t) => t == LabelMap.Ignore ? LabelMap.Ignore : p)]);

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
