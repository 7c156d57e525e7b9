using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Masks whose labelled pixels are all of one class, whatever the way: 0 and 255 as many tools write them, where 255 means "no label"; 0 and 1 where
/// 0 means it; a table of values or colours with one class. Every model that says so scores 100 %.
/// </summary>
internal static class OneClassMasks
{
    // One mask with another class is enough to know better, and it is among the first of almost every data set.
    private const int MaxRead = 100;
    private const int ValuesShown = 6;

    /// <summary>
    /// A sentence when the masks of a data set, a hundred of a larger one, are such; else null. Masks that cannot be read, and values that are no
    /// class, are somebody else's.
    /// </summary>
    internal static string? Find(SegmentationDataset dataset)
    {
        var masks = new List<StoredMask>();
        var labels = new HashSet<int>();
        int read = Math.Min(dataset.Count, MaxRead);
        for (int i = 0; i < read; i++)
        {
            try
            {
                // From everywhere in the list: names in order are often classes in order.
                masks.Add(dataset.ReadStored((int)((long)i * dataset.Count / read)));
            }
            catch (InputException)
            {
                return null;
            }

            labels.UnionWith(masks[^1].Labels);
            if (labels.Count > 1 || masks[^1].HasUnknown)
            {
                return null;
            }
        }

        string which = read == dataset.Count ? $"all {read} masks" : $"the {read} of {dataset.Count} masks that were looked at";
        return $"{dataset.Name}: {Sentence(dataset, masks, which)}";
    }

    /// <summary>Whether no mask has a label beside one class, and no value that is no class.</summary>
    internal static bool AreAll(IReadOnlyCollection<StoredMask> masks) =>
        masks.Count > 0 && !masks.Any(m => m.HasUnknown) && masks.SelectMany(m => m.Labels).Distinct().Take(2).Count() < 2;

    /// <summary>Whether all masks hold 0 and 255 only (or 65535), and both occur.</summary>
    internal static bool AreBinary(IReadOnlyCollection<StoredMask> masks) =>
        masks.All(m => m.IsBinary) && masks.Any(m => m.HasVoid) && masks.Any(m => m.Values.Any(v => v.Value == 0));

    /// <summary>What such masks hold, and what follows.</summary>
    /// <param name="dataset">Gives the names.</param>
    /// <param name="masks">The masks.</param>
    /// <param name="which">What they are called.</param>
    internal static string Sentence(SegmentationDataset dataset, IReadOnlyCollection<StoredMask> masks, string which)
    {
        int label = masks.SelectMany(m => m.Labels).FirstOrDefault(-1);
        string stored = masks.All(m => m.HoldsNumbers) ? $"; stored are {Values(dataset, masks)}" : "";
        return label < 0
            ? $"in {which} no pixel has a class, so there is nothing to learn or to score{stored}"
            : $"in {which} all labelled pixels are {ConfigText.Quote(dataset.Classes[label])}, and a model that says so scores 100 %{stored}; "
                + Remedy(masks);
    }

    // Many tools write 255 for an object.
    private static string Remedy(IReadOnlyCollection<StoredMask> masks)
    {
        int[] voids = [.. masks.SelectMany(m => m.Values).Where(v => v.Value > 0).Select(v => v.Value).Distinct().Order()];
        return AreBinary(masks)
            ? $"where {string.Join(" and ", voids)} {(voids.Length == 1 ? "is" : "are")} an object, store the number of its class, or name the "
                + $"numbers (data.kind: folder): data.values: {{0: background, {voids[0]}: NAME}}"
            : "where other pixels show something else, give that a class, too";
    }

    // "0 (no label), 1 ('cat')".
    private static string Values(SegmentationDataset dataset, IReadOnlyCollection<StoredMask> masks)
    {
        StoredValue[] values = [.. masks.SelectMany(m => m.Values).DistinctBy(v => v.Value).OrderBy(v => v.Value)];
        string text = string.Join(
            ", ",
            values.Take(ValuesShown).Select(v => $"{v.Value} ({(v.IsClass ? ConfigText.Quote(dataset.Classes[v.Meaning]) : "no label")})"));
        return values.Length > ValuesShown ? $"{text} and {values.Length - ValuesShown} other values" : text;
    }
}
