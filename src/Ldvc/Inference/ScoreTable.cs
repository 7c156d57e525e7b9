using System.Globalization;

namespace Ldvc.Inference;

/// <summary>Scores for people (percent, a row per class) and as JSON (shares of 1; null where there is nothing to score).</summary>
internal static class ScoreTable
{
    /// <summary>"pAcc 94.6  mIoU(S) 91.9  mIoU(U) 77.8  hIoU 84.3  mIoU 88.4".</summary>
    internal static string Line(Scores scores) =>
        $"pAcc {Percent(scores.PixelAccuracy)}  mIoU(S) {Percent(scores.Seen)}  mIoU(U) {Percent(scores.Unseen)}  hIoU {Percent(scores.Harmonic)}  "
            + $"mIoU {Percent(scores.MeanIoU)}";

    /// <summary>A row per class, then the line of means.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="mistakes">What each class is mostly taken for, which stands at the end of its row; null = not shown.</param>
    internal static IEnumerable<string> Lines(Scores scores, IReadOnlyList<TakenFor?>? mistakes = null)
    {
        int width = Math.Max(5, scores.Classes.Max(c => c.Name.Length));
        yield return $"{"class".PadRight(width)}  {"",-6}  {"IoU",5}  {"acc",5}  {"pixels",10}{(mistakes is null ? "" : "  mostly taken for")}";
        for (int i = 0; i < scores.Classes.Count; i++)
        {
            ClassScore c = scores.Classes[i];
            string mistake = mistakes?[i] is { } m ? $"  {m.Name} ({Percent(m.Share)} %)" : "";
            yield return $"{c.Name.PadRight(width)}  {(c.Seen ? "seen" : "unseen"),-6}  {Percent(c.IoU),5}  {Percent(c.Accuracy),5}  "
                + $"{c.Pixels,10}{mistake}";
        }

        yield return Line(scores);
    }

    /// <summary>The same numbers for JSON.</summary>
    internal static object ToJson(Scores scores) => new
    {
        PixelAccuracy = Share(scores.PixelAccuracy),
        MiouSeen = Share(scores.Seen),
        MiouUnseen = Share(scores.Unseen),
        Hiou = Share(scores.Harmonic),
        Miou = Share(scores.MeanIoU),
        Classes = scores.Classes.Select(c => new { c.Name, c.Seen, Iou = Share(c.IoU), Accuracy = Share(c.Accuracy), c.Pixels }).ToArray(),
    };

    private static double? Share(double value) => double.IsNaN(value) ? null : value;

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
