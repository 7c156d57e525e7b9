using System.Globalization;
using Ldvc.Inference;

namespace Ldvc.App.Web;

/// <summary>
/// A labelled picture, ready to be sent: encoded within the picture's turn, so that pictures and label maps do not pile up behind slow clients.
/// </summary>
internal sealed class LabelledPicture
{
    private const int ClassesShown = 3;

    private readonly string _size;
    private readonly string _named;

    /// <summary>Encodes a result.</summary>
    /// <param name="result">The labels.</param>
    /// <param name="seen">Which classes had masks in training.</param>
    /// <param name="seconds">Time of the segmentation alone.</param>
    internal LabelledPicture(SegmentResult result, bool[] seen, double seconds)
    {
        Json = Answer.Json(new SegmentationAnswer(result, seen, seconds).ToJson());
        Seconds = seconds;
        _size = string.Create(CultureInfo.InvariantCulture, $"{result.Width}x{result.Height}, {seen.Length} classes, {seconds:F2} s computed");
        _named = $"{result.Image}  {_size}  {result.Describe(ClassesShown)}";
    }

    /// <summary>The answer.</summary>
    internal byte[] Json { get; }

    /// <summary>Time of the segmentation alone.</summary>
    internal double Seconds { get; }

    /// <summary>For the log.</summary>
    /// <param name="names">Whether the picture and its classes are named.</param>
    internal string Describe(bool names) => names ? _named : _size;
}
