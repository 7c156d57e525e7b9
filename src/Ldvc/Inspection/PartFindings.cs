using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Inspection;

/// <summary>What is noticed about one part.</summary>
internal static class PartFindings
{
    private const int Shown = 8;

    /// <summary>The findings of a part.</summary>
    /// <param name="survey">What was read.</param>
    /// <param name="inductive">Whether training knows no unseen class.</param>
    internal static IEnumerable<DataFinding> Of(PartSurvey survey, bool inductive)
    {
        bool training = survey.Part == DataCheck.Training;
        DataFinding?[] all =
        [
            Outside(survey),
            OneClass(survey),
            Bytes(survey),
            Palettes(survey),
            Depths(survey),
            WithoutPixels(survey, seenOnly: training),
            WithoutLabels(survey),
            SharedMasks(survey),
            LeftOut(survey),
            training && inductive ? UnseenPixels(survey) : null,
        ];
        return all.OfType<DataFinding>();
    }

    /// <summary>"'a', 'b' and 3 more".</summary>
    internal static string Few(IReadOnlyCollection<string> items, bool quote = true)
    {
        string text = string.Join(", ", items.Take(Shown).Select(item => quote ? ConfigText.Quote(item) : item));
        return items.Count > Shown ? $"{text} and {items.Count - Shown} more" : text;
    }

    /// <summary>"1 picture", "3 pictures".</summary>
    internal static string Count(long count, string one, string? many = null) => $"{count} {(count == 1 ? one : many ?? one + "s")}";

    private static DataFinding? Outside(PartSurvey survey)
    {
        if (survey.Outside.Count == 0)
        {
            return null;
        }

        string[] values = [.. survey.Outside.Select(v => $"{v.Value} ({Count(v.Pixels, "pixel")} in {Count(v.Masks, "mask")}, e.g. {v.Example})")];
        int classes = survey.Dataset.Classes.Count;
        return new DataFinding(
            FindingKind.ValuesOutside,
            survey.Part,
            $"{Count(values.Length, "stored value is no class", "stored values are no class")} (the list has {classes}), and training and evaluation "
                + $"refuse such masks: {Few(values, quote: false)}",
            values);
    }

    private static DataFinding? OneClass(PartSurvey survey)
    {
        if (OneClassMasks.AreAll(survey.Masks))
        {
            bool zeroes = OneClassMasks.AreBinary(survey.Masks);

            // Where no mask has a label at all, that is said of the pictures.
            return !zeroes && !survey.Masks.Any(m => m.HasLabel)
                ? null
                : new DataFinding(
                    zeroes ? FindingKind.BinaryMasks : FindingKind.OneClass,
                    survey.Part,
                    OneClassMasks.Sentence(survey.Dataset, survey.Masks, $"all {survey.Masks.Count} masks"),
                    [.. survey.Masks.Select(m => m.Source)]);
        }

        // Where other masks use 255, too, it is what it should be, and a picture with one class and a border is like any other.
        StoredMask[] binary = [.. survey.Masks.Where(m => m.IsBinary && m.HasVoid && m.Values.Count > 1)];
        if (binary.Length == 0 || survey.Masks.Any(m => !m.IsBinary && m.HasVoid))
        {
            return null;
        }

        string[] files = [.. binary.Select(m => m.Source)];
        string which = $"{binary.Length} of {Count(survey.Masks.Count, "mask")} (e.g. {files[0]})";
        return new DataFinding(FindingKind.BinaryMasks, survey.Part, OneClassMasks.Sentence(survey.Dataset, binary, which), files);
    }

    // In a list of more than 255 classes, 255 is one: a border or a void region of an 8-bit mask would be taken for it.
    private static DataFinding? Bytes(PartSurvey survey)
    {
        StoredMask[] masks = [.. survey.Masks.Where(m => m.Borders > 0)];
        if (masks.Length == 0)
        {
            return null;
        }

        return new DataFinding(
            FindingKind.BytesAsClass,
            survey.Part,
            $"{Count(masks.Length, "mask")} of 8 bits {(masks.Length == 1 ? "holds" : "hold")} 255 ({Count(masks.Sum(m => m.Borders), "pixel")}, "
                + $"e.g. {masks[0].Source}), {MaskWarnings.Borders(survey.Dataset, masks[0])}",
            [.. masks.Select(m => m.Source)]);
    }

    private static DataFinding? Palettes(PartSurvey survey) =>
        MaskPalettes.Find(survey.Masks) is { } text ? new DataFinding(FindingKind.PalettesDiffer, survey.Part, text, []) : null;

    private static DataFinding? Depths(PartSurvey survey) =>
        MaskDepths.Find(survey.Masks) is { } text ? new DataFinding(FindingKind.DepthsDiffer, survey.Part, text, []) : null;

    private static DataFinding? WithoutPixels(PartSurvey survey, bool seenOnly)
    {
        SegmentationDataset dataset = survey.Dataset;
        string[] names =
        [
            .. Enumerable.Range(0, dataset.Classes.Count).Where(
                id => survey.Classes[id].Pixels == 0 && (!seenOnly || dataset.Split.IsSeen(id))).Select(id => dataset.Classes[id]),
        ];
        string consequence = seenOnly ? "training cannot learn" : "no score is of";
        return names.Length == 0 || survey.Masks.Count == 0
            ? null
            : new DataFinding(
                FindingKind.ClassWithoutPixels,
                survey.Part,
                $"{Count(names.Length, seenOnly ? "seen class has" : "class has", seenOnly ? "seen classes have" : "classes have")} no pixel, so "
                    + $"that {consequence} {(names.Length == 1 ? "it" : "them")}: {Few(names)}",
                names);
    }

    private static DataFinding? WithoutLabels(PartSurvey survey)
    {
        // A mask whose values are no class is told of as such.
        string[] ids = [.. survey.Pictures.Where(p => p.Mask is { HasLabel: false } mask && mask.Values.All(v => v.Meaning >= 0)).Select(p => p.Id)];
        return ids.Length == 0
            ? null
            : new DataFinding(
                FindingKind.PictureWithoutLabels,
                survey.Part,
                $"{Count(ids.Length, "picture has", "pictures have")} no labelled pixel: {Few(ids)}",
                ids);
    }

    private static DataFinding? SharedMasks(PartSurvey survey) => SharedFiles.OneMaskNote(survey.Dataset) is not { } note ? null
        : new DataFinding(
            FindingKind.SharedMasks, survey.Part, note, [.. SharedFiles.OfOneMask(survey.Dataset).SelectMany(shared => shared.Pictures)]);

    private static DataFinding? LeftOut(PartSurvey survey)
    {
        string[] files;
        try
        {
            files = [.. survey.Dataset.LeftOut()];
        }
        catch (InputException)
        {
            // A folder of masks may hold anything besides those that are read.
            return null;
        }

        return files.Length == 0
            ? null
            : new DataFinding(
                FindingKind.LeftOut,
                survey.Part,
                $"{Count(files.Length, "file is", "files are")} left out, as masks without a picture or pictures in formats that are not read: "
                    + Few(files, quote: false),
                files);
    }

    private static DataFinding? UnseenPixels(PartSurvey survey)
    {
        SegmentationDataset dataset = survey.Dataset;
        string[] names = [.. dataset.Split.Unseen.Where(id => survey.Classes[id].Pixels > 0).Select(id => dataset.Classes[id])];
        string[] counted = [.. names.Select(n => survey.Classes[dataset.Classes.IndexOf(n)]).Zip(names, (c, n) => $"{ConfigText.Quote(n)} "
            + $"({Count(c.Pixels, "pixel")} in {Count(c.Pictures, "picture")})")];
        return names.Length == 0
            ? null
            : new DataFinding(
                FindingKind.UnseenInTraining,
                survey.Part,
                $"{Count(names.Length, "unseen class has", "unseen classes have")} pixels; inductive training takes them as unlabelled, but the "
                    + $"pictures show them: {Few(counted, quote: false)}",
                names);
    }
}
