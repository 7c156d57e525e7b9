using Ldvc.Configuration;

namespace Ldvc.Inspection;

/// <summary>A validation picture that training sees, too.</summary>
/// <param name="Training">Its name in the training part.</param>
/// <param name="Validation">Its name in the validation part.</param>
internal sealed record SharedPicture(string Training, string Validation);

/// <summary>Pictures that are in both parts, whatever their files are called.</summary>
internal static class SharedPictures
{
    /// <summary>All of them, in the order of the validation part.</summary>
    internal static IReadOnlyList<SharedPicture> Find(PartSurvey training, PartSurvey validation)
    {
        var first = new Dictionary<UInt128, string>();
        foreach (PictureSurvey picture in training.Pictures)
        {
            if (picture.Content is { } content)
            {
                first.TryAdd(content, picture.Id);
            }
        }

        return [.. validation.Pictures.Where(p => p.Content is { } c && first.ContainsKey(c))
            .Select(p => new SharedPicture(first[p.Content!.Value], p.Id))];
    }

    /// <summary>The finding, if there are any.</summary>
    internal static DataFinding? Finding(IReadOnlyList<SharedPicture> shared, int validation)
    {
        string[] pairs = [.. shared.Select(s => s.Training == s.Validation ? ConfigText.Quote(s.Training) : $"{ConfigText.Quote(s.Validation)} = "
            + $"training's {ConfigText.Quote(s.Training)}")];
        return pairs.Length == 0
            ? null
            : new DataFinding(
                FindingKind.SharedPictures,
                null,
                $"{pairs.Length} of {validation} validation pictures are training pictures, too, so that scores are too high: "
                    + $"{PartFindings.Few(pairs, quote: false)}",
                [.. shared.Select(s => s.Validation)]);
    }
}
