using System.Diagnostics;
using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli.Verbs;

/// <summary>What `ldvc segment` is told.</summary>
/// <param name="Images">Image files.</param>
/// <param name="Checkpoint">An LDVC checkpoint.</param>
/// <param name="Classes">Class names; their order gives the indices.</param>
/// <param name="Background">Pixels whose best probability lies below this become background (255); null = none do.</param>
/// <param name="Clip">Folder or file of the CLIP the checkpoint was trained on; null = where the checkpoint says it lies.</param>
/// <param name="Precision">What products multiply with.</param>
/// <param name="Out">Folder of the results.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record SegmentOptions(
    string[] Images,
    string Checkpoint,
    string[] Classes,
    double? Background,
    string? Clip,
    Precision Precision,
    string Out,
    CommonOptions Common);

/// <summary>`ldvc segment`: any pictures, any class names (method.md 9).</summary>
internal static class SegmentVerb
{
    private const int ClassesShown = 3;

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input; when it is one of several pictures, the results of the others have been written.</exception>
    public static int Run(SegmentOptions options)
    {
        RefuseSameFiles(options.Images, options.Out);
        CommonOptions common = options.Common;
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(options.Checkpoint);
        using Device device = common.OpenDevice(options.Precision);
        using LoadedModel loaded = checkpoint.LoadModel(device, options.Clip);
        using Segmenter segmenter = FreeVocabulary.CreateSegmenter(checkpoint, loaded, options.Classes);
        OutputFolder.Create(options.Out);

        var results = new List<object>();
        var failures = new List<InputException>();
        foreach (string image in options.Images)
        {
            common.Cancellation.ThrowIfCancellationRequested();
            long started = Stopwatch.GetTimestamp();
            RgbImage picture;
            try
            {
                picture = ImageReader.Read(image);
            }
            catch (InputException e)
            {
                failures.Add(e);
                continue;
            }

            var result = new SegmentResult(image, picture, segmenter.Segment(picture, options.Background).Labels, options.Classes);
            result.Write(options.Out);
            results.Add(result.ToJson());
            string seconds = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("F2", CultureInfo.InvariantCulture);
            common.Out.WriteLine($"{image}  {picture.Width}x{picture.Height}  {seconds} s  {result.Describe(ClassesShown)}");
        }

        common.WriteJson(results);
        return failures.Count == 0 ? 0 : throw Failure(failures, options);
    }

    // Results that would lie in one place, or in the place of an input, are refused before anything is computed. Names that differ in case alone are
    // one file on some systems.
    private static void RefuseSameFiles(string[] images, string folder)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string image in images)
        {
            foreach (string file in SegmentResult.FilesOf(image, folder))
            {
                if (!owners.TryAdd(file, image))
                {
                    throw new InputException($"{image}: its result {file} would also be that of {owners[file]}; expected images with different names, or run them into different folders.");
                }
            }
        }

        var inputs = images.Select(Path.GetFullPath).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (owners.Keys.FirstOrDefault(file => inputs.Contains(Path.GetFullPath(file))) is { } overwritten)
        {
            throw new InputException($"--out: the result {overwritten} would replace an image that was given; expected another folder.");
        }
    }

    private static InputException Failure(List<InputException> failures, SegmentOptions options)
    {
        string others = failures.Count == 1 ? "" : $" (and {failures.Count - 1} more of the {options.Images.Length} images)";
        return new InputException(failures[0].Message + others, failures[0]);
    }
}
