using System.Globalization;
using Ldvc.Data;
using Ldvc.Imaging;

namespace Ldvc.Inspection;

/// <summary>A check for people (a table per part) and as JSON (everything).</summary>
internal static class CheckTable
{
    /// <summary>A line about the part, a heading, a row per class.</summary>
    internal static IEnumerable<string> Lines(PartSurvey survey)
    {
        SegmentationDataset dataset = survey.Dataset;
        yield return $"{survey.Part}: {dataset.Name}, {PartFindings.Count(survey.Pictures.Count, "picture")}{Sizes(survey)}, "
            + $"{Percent(survey.Unlabelled, survey.Pixels)} % of the pixels unlabelled";
        int width = Math.Max(5, dataset.Classes.Max(name => name.Length));
        yield return $"{"class".PadRight(width)}  {"",-6}  {"pixels",12}  {"%",5}  {"pictures",8}";
        for (int id = 0; id < dataset.Classes.Count; id++)
        {
            ClassCount count = survey.Classes[id];
            yield return $"{dataset.Classes[id].PadRight(width)}  {(dataset.Split.IsSeen(id) ? "seen" : "unseen"),-6}  {count.Pixels,12}  "
                + $"{Percent(count.Pixels, survey.Pixels),5}  {count.Pictures,8}";
        }
    }

    /// <summary>The whole check for JSON.</summary>
    /// <param name="check">What was found.</param>
    /// <param name="config">The configuration's file.</param>
    /// <param name="exitCode">What the program returns.</param>
    internal static object ToJson(DataCheck check, string config, int exitCode) => new
    {
        Config = config,
        ExitCode = exitCode,
        Parts = check.Parts.Select(Part).ToArray(),
        Shared = check.Shared.Select(s => new { s.Training, s.Validation }).ToArray(),
        Names = check.Names?.Select(n => new { n.Name, Tokens = n.Pieces, Broken = n.IsBroken }).ToArray(),
        check.NamesSkipped,
        Warnings = check.Warnings.Select(w => new { w.Kind, w.Part, w.Text, w.Items }).ToArray(),
        check.Errors,
    };

    private static object Part(PartSurvey survey) => new
    {
        survey.Part,
        Data = survey.Dataset.Name,
        Pictures = survey.Pictures.Count,
        Faulty = survey.Pictures.Count(p => p.Problems.Count > 0),
        Smallest = Size(survey, 0),
        Median = Size(survey, survey.Sizes.Count / 2),
        Largest = Size(survey, survey.Sizes.Count - 1),
        survey.Pixels,
        UnlabelledPixels = survey.Unlabelled,
        UnlabelledShare = survey.Pixels == 0 ? (double?)null : (double)survey.Unlabelled / survey.Pixels,
        Classes = survey.Classes.Select((count, id) => new
        {
            Name = survey.Dataset.Classes[id],
            Seen = survey.Dataset.Split.IsSeen(id),
            count.Pixels,
            count.Pictures,
        }).ToArray(),
        ValuesOutside = survey.Outside.Select(v => new { v.Value, v.Pixels, v.Masks, v.Example }).ToArray(),
    };

    private static int[]? Size(PartSurvey survey, int index) =>
        survey.Sizes.Count == 0 ? null : [survey.Sizes[index].Width, survey.Sizes[index].Height];

    private static string Sizes(PartSurvey survey)
    {
        if (survey.Sizes.Count == 0)
        {
            return "";
        }

        string At(int index) => $"{survey.Sizes[index].Width}x{survey.Sizes[index].Height}";
        return survey.Sizes[0] == survey.Sizes[^1]
            ? $" of {At(0)}"
            : $" of {At(0)} to {At(survey.Sizes.Count - 1)} (median {At(survey.Sizes.Count / 2)})";
    }

    private static string Percent(long part, long whole) =>
        whole == 0 ? "-" : (100.0 * part / whole).ToString(part > 0 && 1000 * part < whole ? "F2" : "F1", CultureInfo.InvariantCulture);
}
