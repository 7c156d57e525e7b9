using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>Who is shown the first pictures of an evaluation, in their order.</summary>
/// <param name="Count">How many.</param>
/// <param name="Show">Told the name, the picture, its truth and its labels.</param>
internal sealed record PictureShow(int Count, Action<string, RgbImage, LabelMap, LabelMap> Show);
