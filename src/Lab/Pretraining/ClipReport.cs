using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Lab.Synthetic;

namespace Ldvc.Lab.Pretraining;

/// <summary>What a small CLIP can do, measured on drawn pictures that training did not see; shares from 0 to 1.</summary>
/// <param name="TaskAccuracy">Zero-shot classification of single objects among the things of the segmentation task.</param>
/// <param name="AllAccuracy">The same among all combinations of texture, colour and shape.</param>
/// <param name="CropAccuracy">Zero-shot classification of objects in windows of whole scenes, among the things of the task.</param>
/// <param name="PatchAccuracy">The same for single patches of things in such windows.</param>
/// <param name="StuffAccuracy">Zero-shot classification of pictures of one material; null where there is no stuff.</param>
/// <param name="Retrieval">Retrieval among held-out pairs.</param>
internal sealed record ClipReport(
    double TaskAccuracy, double AllAccuracy, double CropAccuracy, double PatchAccuracy, double? StuffAccuracy, RetrievalScore Retrieval)
{
    private const int Pictures = 600;
    private const int PatchPictures = 200;
    private const int StuffPictures = 160;
    private const int Pairs = 500;

    /// <summary>Measures a CLIP of the given world.</summary>
    internal static ClipReport Measure(ProbeEmbedder clip, CaptionOptions captions, ulong seed)
    {
        SceneVocabulary world = captions.Vocabulary;
        SceneOptions scenes = SceneOptions.Of(world);
        return new ClipReport(
            ZeroShotAccuracy.Measure(clip, ZeroShotProbe.Task(Pictures, clip.Size, vocabulary: world)),
            ZeroShotAccuracy.Measure(clip, ZeroShotProbe.All(Pictures, clip.Size, vocabulary: world)),
            ZeroShotAccuracy.Measure(clip, new CropProbe(Pictures, clip.Size, scenes)),
            Pretraining.PatchAccuracy.Measure(clip, new CropProbe(PatchPictures, clip.Size, scenes)),
            SceneTask.Of(world).HasStuff ? ZeroShotAccuracy.Measure(clip, new StuffProbe(StuffPictures, clip.Size)) : null,
            RetrievalScore.Measure(clip, captions, seed, Pairs));
    }

    /// <summary>The report in lines of text.</summary>
    internal IEnumerable<string> Lines()
    {
        yield return $"zero-shot accuracy on single objects: {Percent(TaskAccuracy)} % among the task's classes, {Percent(AllAccuracy)} % among all "
            + "combinations";
        yield return $"on objects in windows of whole scenes: {Percent(CropAccuracy)} % among the task's classes, {Percent(PatchAccuracy)} % patch "
            + "by patch"
            + (StuffAccuracy is { } stuff ? $"; on stuff: {Percent(stuff)} %" : string.Empty);
        yield return $"retrieval among {Retrieval.Pairs} held-out pairs, R@1 and R@5: text for a picture {Percent(Retrieval.ImageToText1)} and "
            + $"{Percent(Retrieval.ImageToText5)} %, "
            + $"picture for a text {Percent(Retrieval.TextToImage1)} and {Percent(Retrieval.TextToImage5)} %";
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
