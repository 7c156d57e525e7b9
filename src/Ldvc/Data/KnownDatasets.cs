using System.Text.Json;

namespace Ldvc.Data;

/// <summary>
/// Class names, published zero-shot splits and raw label values of the three benchmarks, from the embedded splits.json.
/// Train ids are 0-based in the listed order, as in mmsegmentation and the ZegCLIP family.
/// </summary>
internal static class KnownDatasets
{
    private const string Resource = "Ldvc.Data.splits.json";

    private static readonly Lazy<JsonDocument> Document = new(() =>
    {
        using var stream = typeof(KnownDatasets).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the resource {Resource} is not in the assembly");
        return JsonDocument.Parse(stream);
    });

    /// <summary>PASCAL VOC 2012: 20 classes (background is ignored), 15 seen and 5 unseen.</summary>
    public static (ClassList Classes, ZeroShotSplit Split) Voc2012() => Read("voc2012", "unseen", background: false);

    /// <summary>COCO-Stuff 164k: 171 classes, 156 seen and 15 unseen.</summary>
    public static (ClassList Classes, ZeroShotSplit Split) CocoStuff164k() => Read("coco_stuff164k", "unseen", background: false);

    /// <summary>
    /// PASCAL Context: 59 classes, 10 unseen; with <paramref name="background"/> 60, the first being "background" (seen).
    /// <paramref name="cascadeClipSplit"/> takes the other list of 10 unseen classes that Cascade-CLIP's published configurations use.
    /// </summary>
    public static (ClassList Classes, ZeroShotSplit Split) PascalContext(bool background = false, bool cascadeClipSplit = false)
        => Read("pascal_context", cascadeClipSplit ? "unseen_cascade_clip" : "unseen", background);

    /// <summary>
    /// COCO-Stuff's raw "stuffthingmaps" values: entry v is the train id of raw value v. Eleven object categories that the data set dropped, and
    /// every value that means nothing, are -1; 255 stays 255.
    /// </summary>
    public static int[] CocoStuffRawToTrain()
    {
        var section = Document.Value.RootElement.GetProperty("coco_stuff164k");
        var removed = section.GetProperty("raw_removed").EnumerateArray().Select(e => e.GetInt32()).ToHashSet();
        int rawCount = section.GetProperty("raw_count").GetInt32();
        var map = new int[256];
        Array.Fill(map, -1);
        int next = 0;
        for (int raw = 0; raw < rawCount; raw++)
        {
            if (!removed.Contains(raw))
            {
                map[raw] = next++;
            }
        }

        map[255] = 255;
        return map;
    }

    private static (ClassList Classes, ZeroShotSplit Split) Read(string key, string unseenKey, bool background)
    {
        var section = Document.Value.RootElement.GetProperty(key);
        var names = Strings(section.GetProperty("classes"));
        var classes = new ClassList(background ? ["background", .. names] : names, key);
        return (classes, ZeroShotSplit.WithUnseen(classes.Count, classes.IndicesOf(Strings(section.GetProperty(unseenKey)), key), key));
    }

    private static List<string> Strings(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetString()!)];
}
