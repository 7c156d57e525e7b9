using System.Text;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>The pictures of `ldvc segment`.</summary>
/// <param name="All">All of them.</param>
/// <param name="IsDone">Which have results already, and are left out.</param>
internal sealed record SegmentInputs(PictureSource[] All, bool[] IsDone)
{
    // What systems take.
    private const int LongestName = 255;
    private const int OthersShown = 5;

    /// <summary>Those that are to be labelled.</summary>
    internal PictureSource[] Pending => [.. All.Where((_, i) => !IsDone[i])];

    /// <summary>
    /// Finds the pictures. Results that would lie in one place, or in the place of what is no result, are refused before anything is computed.
    /// </summary>
    /// <param name="options">What the verb is told.</param>
    /// <param name="files">Where results go.</param>
    /// <exception cref="InputException">There are none, or a result has no place of its own.</exception>
    internal static SegmentInputs Find(SegmentOptions options, SegmentFiles files)
    {
        var unread = new List<string>();
        PictureSource[] all = [.. PictureSources.Find(options.Images, options.Out, unread)];
        options.Common.Note(LeftOut(unread));
        HashSet<string> places = Places(all, files, options);
        if (Array.Find(all, picture => places.Contains(Path.GetFullPath(picture.Path))) is { } overwritten)
        {
            throw new InputException($"--out: a result would replace an image that was given, {overwritten.Path}; expected another folder.");
        }

        var done = new bool[all.Length];
        if (options.SkipExisting)
        {
            bool?[] states = [.. all.Select(picture => files.Exist(picture))];
            done = [.. states.Select(state => state == true)];
            int others = states.Count(state => state == false);
            options.Common.Out.WriteLine($"{done.Count(d => d)} of {all.Length} images have results already"
                + (others == 0 ? "" : $"; {others} have some of other settings (model, classes, windows, thresholds) or of "
                    + "an earlier picture, which are made anew"));
        }

        var inputs = new SegmentInputs(all, done);
        RefuseForeign(inputs.Pending, files, options);
        if (inputs.Pending.Length > 0)
        {
            options.Common.Note(CocoStays(files, options));
        }

        return inputs;
    }

    /// <summary>The results of all pictures in their order: of those that were left out, what their files say.</summary>
    /// <param name="entries">Of the others, in their order.</param>
    /// <param name="files">Where results are.</param>
    internal List<object> Results(IReadOnlyList<SegmentEntry> entries, SegmentFiles files)
    {
        var results = new List<object>(All.Length);
        int next = 0;
        for (int i = 0; i < All.Length; i++)
        {
            results.Add(IsDone[i] ? files.Numbers(All[i]) : entries[next++].Result!);
        }

        return results;
    }

    private static string? LeftOut(List<string> others) => others.Count == 0 ? null
        : $"{others.Count} {(others.Count == 1 ? "picture is" : "pictures are")} left out, in formats that are not read: "
            + string.Join(", ", others.Take(OthersShown)) + (others.Count > OthersShown ? $" and {others.Count - OthersShown} more" : "");

    // It may hold pictures that are not asked for now, so it is not removed.
    private static string? CocoStays(SegmentFiles files, SegmentOptions options) =>
        !options.Save.HasFlag(SegmentParts.Coco) && File.Exists(files.Coco) && CocoAnnotations.Wrote(files.Coco)
            ? $"{files.Coco} is of an earlier run and stays as it is; --save coco writes it anew"
            : null;

    // Names that differ in case alone are one file on some systems.
    private static HashSet<string> Places(PictureSource[] pictures, SegmentFiles files, SegmentOptions options)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (options.Save.HasFlag(SegmentParts.Coco))
        {
            owners.Add(Path.GetFullPath(files.Coco), "--save coco");
        }

        if (options.Common.Json is { } json && !owners.TryAdd(Path.GetFullPath(json), "--json"))
        {
            throw new InputException($"--json: {json} would also be the file of --save coco; expected another one.");
        }

        foreach (PictureSource picture in pictures)
        {
            foreach (string file in files.Of(picture.Name))
            {
                if (!owners.TryAdd(Path.GetFullPath(file), picture.Path))
                {
                    throw new InputException($"{picture.Path}: its result {file} would also be that of {owners[Path.GetFullPath(file)]}; expected "
                        + "images with different names, or a different --out for each.");
                }

                int bytes = Encoding.UTF8.GetByteCount(Path.GetFileName(file));
                if (bytes > LongestName)
                {
                    throw new InputException(
                        $"{picture.Path}: its result {Path.GetFileName(file)} would have a name of {bytes} bytes, expected at most {LongestName}: a "
                            + "shorter name of the image.");
                }
            }
        }

        return new HashSet<string>(owners.Keys, StringComparer.OrdinalIgnoreCase);
    }

    // Masks and annotations often lie beside their pictures, and have the names that results have.
    private static void RefuseForeign(PictureSource[] pictures, SegmentFiles files, SegmentOptions options)
    {
        foreach (PictureSource picture in pictures)
        {
            if (files.Foreign(picture.Name) is { } file)
            {
                throw new InputException(
                    $"{file}: is there already, and is no result of `ldvc segment`; the result of {picture.Path} would replace it: expected another "
                        + "--out.");
            }
        }

        if (options.Save.HasFlag(SegmentParts.Coco) && File.Exists(files.Coco) && !CocoAnnotations.Wrote(files.Coco))
        {
            throw new InputException($"{files.Coco}: is there already, and is not one that `ldvc segment` wrote; expected another --out.");
        }
    }
}
