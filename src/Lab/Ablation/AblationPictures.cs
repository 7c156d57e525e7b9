using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Lab.Reports;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// The report's pictures: image, truth, and the predictions of the CLIP alone and of the first and the last row, first run; then the windows that
/// route attention chose.
/// </summary>
internal static class AblationPictures
{
    // Pictures narrower than this are enlarged by whole pixels.
    private const int Wanted = 256;

    // Larger ones are made smaller: the page holds every picture once for each row, and photographs of 24 megapixels would make it gigabytes large.
    private const int LongestSide = 640;

    internal static void Add(
        HtmlReport report, AblationFolder folder, AblationResults results, SegmentationDataset validation, string clip, Device device)
    {
        LdvcConfig config = results.Config;
        IReadOnlyList<AblationVariant> all = results.Plan.Rows;
        AblationVariant? free = results.Plan.TrainingFree;
        AblationVariant[] rows = [.. free is null ? [] : new[] { free }, .. all.Count > 1 ? [all[0], all[^1]] : all];
        int count = Math.Min(config.Ablate.Pictures, validation.Count);
        if (rows.Length > 0 && count > 0)
        {
            LabelMap[][] predictions = [.. rows.Select(row => Predict(folder, results, row, validation, clip, device, count))];
            AddRows(report, validation, rows, predictions, count);
        }

        AblationVariant? routed = all.LastOrDefault(v => v.Config.Model.Decoder is { Kind: DecoderKind.VisionQuery, Attention: SelfAttention.Route });
        int maps = Math.Min(config.Ablate.RoutePictures, validation.Count);
        if (routed is not null && maps > 0 && config.Ablate.Queries.Length > 0)
        {
            using LoadedModel loaded = Load(folder, results, routed, clip, device);
            AddRoutes(report, routed, loaded, validation, config, maps);
        }
    }

    private static LoadedModel Load(AblationFolder folder, AblationResults results, AblationVariant variant, string clip, Device device)
    {
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Path.Combine(folder.Root, results.Of(variant).First().Checkpoint));
        return checkpoint.LoadModel(device, clip);
    }

    private static LabelMap[] Predict(
        AblationFolder folder,
        AblationResults results,
        AblationVariant variant,
        SegmentationDataset validation,
        string clip,
        Device device,
        int count)
    {
        if (variant.Key == results.Plan.TrainingFree?.Key)
        {
            using var row = new TrainingFreeRow(results.Config, clip, device);
            using Segmenter alone = row.CreateSegmenter(validation);
            return Labels(alone);
        }

        using LoadedModel loaded = Load(folder, results, variant, clip, device);
        using Segmenter segmenter = Evaluator.CreateSegmenter(loaded, validation, results.Config);
        return Labels(segmenter);

        LabelMap[] Labels(Segmenter segmenter) =>
            [.. Enumerable.Range(0, count).Select(i => segmenter.Segment(validation.ReadImage(i), results.Config.Eval.Background).Labels)];
    }

    private static void AddRows(HtmlReport report, SegmentationDataset validation, AblationVariant[] rows, LabelMap[][] predictions, int count)
    {
        string Name(int c) => validation.Classes[c] + (validation.Split.IsSeen(c) ? "" : "*");
        var truths = Enumerable.Range(0, count).Select(validation.ReadLabels).ToArray();
        report.AddHeading("Pictures").AddParagraph(
            "Validation pictures, first run of a row. Unseen classes are marked with *; black has no label and is not scored.");
        report.AddLegend(
            truths.Concat(predictions.SelectMany(p => p)).SelectMany(l => l.ClassesPresent()).Distinct().Order().Select(l =>
        {
            var (r, g, b) = LabelPalette.Bright[l];
            return new LegendEntry(Name(l), r, g, b);
        }));
        for (int i = 0; i < count; i++)
        {
            IEnumerable<int> present = truths[i].ClassesPresent();
            report.AddPictureRow(
                $"{validation.GetId(i)}: {string.Join(", ", present.Select(l => Name(l)))}",
                [
                    new ReportPicture("image", Show(validation.ReadImage(i))),
                    new ReportPicture("truth", Show(truths[i])),
                    .. rows.Select((row, r) => new ReportPicture(row.Title, Show(predictions[r][i]))),
                ]);
        }
    }

    private static void AddRoutes(
        HtmlReport report, AblationVariant variant, LoadedModel loaded, SegmentationDataset validation, LdvcConfig config, int count)
    {
        report.AddHeading("Windows that route attention chooses").AddParagraph(
            $"{variant.Title}: the framed window holds the query; the windows it attends to keep their colours. One picture per decoder layer; the "
                + "whole picture is one window of the sliding "
            + "window here. Click on a window, or use the arrow keys, to choose another query; below, the places listed in ablate.queries.");
        int window = config.Eval.Window;
        using Tensor classes = loaded.EmbedClasses([.. validation.Classes]);
        for (int i = 0; i < count; i++)
        {
            RgbImage seen = ResizeLinear.Apply(validation.ReadImage(i), window, window);
            IReadOnlyList<RouteTable> routes = RouteMap.Choices(loaded, classes, seen, PictureStatistics.Of(config.Data, loaded.Statistics));
            report.AddChoiceMap(
                $"{validation.GetId(i)}, any window",
                Show(seen),
                Cells(routes[0].Sizes),
                [.. routes.Select((route, layer) => Layer(route, $"layer {layer + 1}"))],
                First(routes[0]));
            for (int q = 0; q < config.Ablate.Queries.Length; q += 2)
            {
                double x = config.Ablate.Queries[q], y = config.Ablate.Queries[q + 1];
                report.AddPictureRow(
                    $"{validation.GetId(i)}, query at {Share(x)} of the width and {Share(y)} of the height",
                    [
                        new ReportPicture("image", Show(seen)),
                        .. routes.Select((route, layer) => new ReportPicture($"layer {layer + 1}", Show(RouteMap.Draw(seen, route, 0, x, y)))),
                    ]);
            }
        }
    }

    private static MapCell[] Cells(RouteSizes sizes) =>
    [
        .. Enumerable.Range(0, sizes.Windows).Select(window =>
        {
            var (top, left, height, width) = RouteWindows.Place(sizes, window);
            return new MapCell(
                (double)left / sizes.GridWidth, (double)top / sizes.GridHeight, (double)width / sizes.GridWidth, (double)height / sizes.GridHeight);
        }),
    ];

    private static ChoiceLayer Layer(RouteTable route, string title) =>
        new(title, [.. Enumerable.Range(0, route.Sizes.Windows).Select(window => RouteWindows.Chosen(route, 0, window).ToArray())]);

    // Selected at first: the window in the middle.
    private static int First(RouteTable route) => RouteWindows.At(route.Sizes, 0.5, 0.5);

    private static RgbImage Show(LabelMap labels)
    {
        var (width, height) = Fit(labels.Width, labels.Height);
        bool fits = width == labels.Width && height == labels.Height;
        return Show(LabelPicture.Colour(fits ? labels : ResizeNearest.Apply(labels, width, height, NearestRule.TopLeft)));
    }

    private static RgbImage Show(RgbImage image)
    {
        var (width, height) = Fit(image.Width, image.Height);
        RgbImage shown = width == image.Width && height == image.Height ? image : ResizeLinear.Apply(image, width, height);
        return shown.Width >= Wanted ? shown : LabelPicture.Enlarge(shown, (Wanted + shown.Width - 1) / shown.Width);
    }

    private static (int Width, int Height) Fit(int width, int height)
    {
        double scale = Math.Min(1, (double)LongestSide / Math.Max(width, height));
        return (Math.Max(1, (int)Math.Round(scale * width)), Math.Max(1, (int)Math.Round(scale * height)));
    }

    private static string Share(double value) => $"{(100 * value).ToString("0.#", CultureInfo.InvariantCulture)} %";
}
