using System.Globalization;
using Ldvc.Inference;

namespace Ldvc.Lab.Demo;

/// <summary>The demo's table of scores, for the terminal and the report: percent, with 95 % intervals over pictures.</summary>
internal static class DemoTable
{
    internal static readonly string[] Headers = ["method", "pAcc", "mIoU(S)", "mIoU(U)", "hIoU"];

    internal static string[][] Rows(DemoResult result) =>
    [
        Row(result.TrainingFree.Name, result.TrainingFreeIntervals, signed: false),
        Row(result.Baseline.Name, result.BaselineIntervals, signed: false),
        Row(result.Ldvc.Name, result.LdvcIntervals, signed: false),
        Row($"{result.Ldvc.Name} minus {result.Baseline.Name}", result.Gain, signed: true),
    ];

    private static string[] Row(string name, ScoreIntervals s, bool signed) =>
        [name, Text(s.PixelAccuracy, signed), Text(s.Seen, signed), Text(s.Unseen, signed), Text(s.Harmonic, signed)];

    private static string Text(Interval i, bool signed)
    {
        string Number(double share) =>
            double.IsNaN(share) ? "-" : (100 * share).ToString(signed ? "+0.0;-0.0;0.0" : "0.0", CultureInfo.InvariantCulture);
        return $"{Number(i.Value)} ({Number(i.Low)} to {Number(i.High)})";
    }
}
