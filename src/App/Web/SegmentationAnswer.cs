using Ldvc.Imaging;
using Ldvc.Inference;

namespace Ldvc.App.Web;

/// <summary>A labelled picture as the page gets it: what `ldvc segment` writes to three files, and how long it took.</summary>
/// <param name="Result">The labels.</param>
/// <param name="Seen">Which classes had masks in training.</param>
/// <param name="Seconds">Time of the segmentation alone.</param>
internal sealed record SegmentationAnswer(SegmentResult Result, bool[] Seen, double Seconds)
{
    /// <summary>For the answer's JSON; byte arrays become base64.</summary>
    internal object ToJson() => new
    {
        Result.Width,
        Result.Height,
        Seconds,
        Result.Background,
        Result.Unlabelled,
        Classes = Result.Classes.Select(c => new { c.Index, c.Name, Seen = Seen[c.Index], c.Pixels, c.Share, Color = ColorOf(c.Index) }),
        Labels = Result.EncodeLabels(),
        Overlay = Result.EncodeOverlay(),
    };

    private static string ColorOf(int index)
    {
        var (r, g, b) = LabelPalette.Bright[index];
        return $"#{r:x2}{g:x2}{b:x2}";
    }
}
