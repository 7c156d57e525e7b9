using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Masks with 0 for the background and 255 for the object, as many tools write them. Here 255 means "no label", so that one class at most is left and
/// every model scores 100 %.
/// </summary>
internal static class BinaryMasks
{
    // One mask with another value is enough to know better, and it is among the first of almost every data set.
    private const int MaxRead = 100;

    /// <summary>
    /// A sentence when the masks of a data set, the first hundred of a larger one, are such; else null. Masks that cannot be read are somebody
    /// else's.
    /// </summary>
    internal static string? Find(SegmentationDataset dataset)
    {
        var masks = new List<StoredMask>();
        for (int i = 0; i < Math.Min(dataset.Count, MaxRead); i++)
        {
            try
            {
                masks.Add(dataset.ReadStored(i));
            }
            catch (InputException)
            {
                return null;
            }

            if (!masks[^1].IsBinary)
            {
                return null;
            }
        }

        int count = masks.Count;
        return AreAll(masks) ? $"{dataset.Name}: {(count == dataset.Count ? "all" : "the first")} {count} masks {Explain(dataset, masks)}" : null;
    }

    /// <summary>Whether all masks hold 0 and 255 only, and both occur.</summary>
    internal static bool AreAll(IReadOnlyCollection<StoredMask> masks) =>
        masks.All(m => m.IsBinary) && masks.Any(m => m.HasVoid) && masks.Any(m => m.Values.Any(v => v.Value == 0));

    /// <summary>What the two values mean here, and what to do: the end of a sentence.</summary>
    internal static string Explain(SegmentationDataset dataset, IReadOnlyCollection<StoredMask> masks)
    {
        StoredValue zero = masks.SelectMany(m => m.Values).First(v => v.Value == 0);
        string labelled = zero.IsClass
            ? $"all labelled pixels are {ConfigText.Quote(dataset.Classes[zero.Meaning])}, and a model that says so scores 100 %"
            : "no pixel has a class";
        return $"hold the values 0 and 255 only, and 255 means \"no label\": {labelled}; where 255 is an object, store the number of its class";
    }
}
