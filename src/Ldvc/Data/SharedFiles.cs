using Ldvc.Configuration;

namespace Ldvc.Data;

/// <summary>
/// Validation pictures that are training pictures, too: a model is scored on what it has learnt by heart. And pictures that share a mask.
/// </summary>
internal static class SharedFiles
{
    /// <summary>A sentence about them, by their files; null when there are none. `ldvc check` compares what is in the files.</summary>
    /// <param name="training">The training part.</param>
    /// <param name="validation">The validation part.</param>
    internal static string? Note(SegmentationDataset training, SegmentationDataset validation)
    {
        HashSet<string> trained = [.. Files(training)];
        int shared = trained.Count == 0 ? 0 : Files(validation).Count(trained.Contains);
        return shared == 0 ? null
            : $"{shared} of {validation.Count} validation pictures are training pictures, too: scores on them say nothing about other pictures";
    }

    /// <summary>Pictures of a part that have one mask, mask by mask; a list of pairs whose columns have slipped gives such.</summary>
    internal static IEnumerable<(string Mask, string[] Pictures)> OfOneMask(SegmentationDataset dataset) =>
        Enumerable.Range(0, dataset.Count).Select(i => (Mask: dataset.MaskFile(i), Index: i)).Where(pair => pair.Mask is not null)
            .GroupBy(pair => Path.GetFullPath(pair.Mask!), StringComparer.Ordinal).Where(group => group.Skip(1).Any())
            .Select(group => (group.First().Mask!, group.Select(pair => dataset.GetId(pair.Index)).ToArray()));

    /// <summary>A sentence about such pictures; null when each has a mask of its own.</summary>
    internal static string? OneMaskNote(SegmentationDataset dataset)
    {
        (string Mask, string[] Pictures)[] shared = [.. OfOneMask(dataset)];
        return shared.Length == 0 ? null
            : $"{shared.Sum(s => s.Pictures.Length)} pictures have a mask that is another picture's, too: {shared[0].Mask} is that of "
                + $"{string.Join(" and ", shared[0].Pictures.Take(2).Select(id => ConfigText.Quote(id)))}"
                + (shared.Length == 1 && shared[0].Pictures.Length == 2 ? "" : ", ...");
    }

    private static IEnumerable<string> Files(SegmentationDataset dataset) =>
        Enumerable.Range(0, dataset.Count).Select(dataset.PictureFile).OfType<string>().Select(Path.GetFullPath);
}
