using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>What is said of masks before a training or an evaluation: scores of them would mean something else than they seem to.</summary>
internal static class MaskWarnings
{
    private const int MaxRead = 100;
    private const int MaxCompared = 20;

    /// <summary>The sentences; none for masks as they should be.</summary>
    /// <param name="dataset">The masks; a hundred of a larger data set are looked at.</param>
    internal static IEnumerable<string> Of(SegmentationDataset dataset) =>
        new[] { OneClassMasks.Find(dataset), FindBorders(dataset), Compare(dataset), OneMask(dataset) }.OfType<string>();

    /// <summary>What follows where a mask of 8 bits holds 255, and that is a class.</summary>
    /// <param name="dataset">Gives the names.</param>
    /// <param name="mask">The mask.</param>
    internal static string Borders(SegmentationDataset dataset, StoredMask mask)
    {
        string name = ConfigText.Quote(dataset.Classes[mask.Values.First(v => v.Value == LabelMap.Ignore).Meaning]);
        return $"which is the class {name} in a list of {dataset.Classes.Count}; where it means \"no label\", say so: data.ignore: [255], if no mask "
            + "has that class, or masks of 16 bits with 65535";
    }

    // Numbers that mean something else from mask to mask.
    private static string? Compare(SegmentationDataset dataset)
    {
        var masks = new List<StoredMask>();
        int read = Math.Min(dataset.Count, MaxCompared);
        for (int i = 0; i < read; i++)
        {
            try
            {
                masks.Add(dataset.ReadStored((int)((long)i * dataset.Count / read)));
            }
            catch (InputException)
            {
                // Said when the mask is read for what it is there for.
                return null;
            }
        }

        return (MaskPalettes.Find(masks) ?? MaskDepths.Find(masks)) is { } text ? $"{dataset.Name}: {text}" : null;
    }

    private static string? OneMask(SegmentationDataset dataset) =>
        SharedFiles.OneMaskNote(dataset) is { } note ? $"{dataset.Name}: {note}" : null;

    // In a list of more than 255 classes, 255 is one: a border or a void region of an 8-bit mask would be taken for it.
    private static string? FindBorders(SegmentationDataset dataset)
    {
        int read = dataset.Classes.Count > ClassList.MaxInBytes ? Math.Min(dataset.Count, MaxRead) : 0;
        for (int i = 0; i < read; i++)
        {
            try
            {
                StoredMask mask = dataset.ReadStored((int)((long)i * dataset.Count / read));
                if (mask.Borders > 0)
                {
                    return $"{dataset.Name}: {mask.Source} of 8 bits holds 255, {Borders(dataset, mask)}";
                }
            }
            catch (InputException)
            {
                // Said when the mask is read for what it is there for.
                return null;
            }
        }

        return null;
    }
}
