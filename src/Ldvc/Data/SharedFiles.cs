namespace Ldvc.Data;

/// <summary>Validation pictures that are training pictures, too: a model is scored on what it has learnt by heart.</summary>
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

    private static IEnumerable<string> Files(SegmentationDataset dataset) =>
        Enumerable.Range(0, dataset.Count).Select(dataset.PictureFile).OfType<string>().Select(Path.GetFullPath);
}
