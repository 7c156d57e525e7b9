using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// A user's own data: images/ID.jpg (or png, webp, bmp, gif), masks/ID.png with train ids (255 ignored), classes.txt with one name per line; optional
/// seen.txt and unseen.txt with class names (one alone leaves the rest to the other; neither: all seen), and PART.txt with the ids of a part. Pictures
/// may also lie as in PASCAL VOC: JPEGImages, SegmentationClass (0 ignored, the first class is 1), ImageSets/Segmentation/PART.txt.
/// </summary>
public sealed class FolderDataset : FileDataset
{
    private const string ClassNames = "names of classes";

    private readonly string _root;
    private readonly bool _voc;
    private readonly SortedDictionary<string, string> _images;

    private FolderDataset(
        string root, string part, SortedDictionary<string, string> images, (IReadOnlyList<string> Ids, string Source) list, ClassList classes, ZeroShotSplit split)
        : base($"{root}/{part}", classes, split, list.Ids, list.Source, IsVoc(root) ? LabelTable.ReduceZero(classes.Count) : LabelTable.Identity(classes.Count))
    {
        _root = root;
        _voc = IsVoc(root);
        _images = images;
    }

    /// <summary>Opens the part listed in PART.txt; part "all", or a folder with neither train.txt nor val.txt, means every picture.</summary>
    /// <exception cref="InputException">A folder or file is missing, a listed picture does not exist, or the class lists contradict each other.</exception>
    public static FolderDataset Open(string root, string part)
    {
        if (!Directory.Exists(root))
        {
            throw new InputException($"{root}: folder not found, expected a data set with images/, masks/ and classes.txt");
        }

        var classes = ReadClasses(Path.Combine(root, "classes.txt"));
        var split = ReadSplit(root, classes);
        var images = PictureFiles.In(Path.Combine(root, ImagesIn(root)));
        return new FolderDataset(root, part, images, List(root, part, images), classes, split);
    }

    /// <inheritdoc/>
    public override string ImagePath(string id) => _images[id];

    /// <inheritdoc/>
    public override string LabelPath(string id) => Path.Combine(_root, _voc ? VocLayout.Masks : "masks", id + ".png");

    private static (IReadOnlyList<string> Ids, string Source) List(string root, string part, SortedDictionary<string, string> images)
    {
        string lists = IsVoc(root) ? Path.Combine(root, VocLayout.Lists) : root, list = Path.Combine(lists, part + ".txt");
        bool hasLists = File.Exists(Path.Combine(lists, "train.txt")) || File.Exists(Path.Combine(lists, "val.txt"));
        if (part == "all" || (!hasLists && part is "train" or "val"))
        {
            return ([.. images.Keys], Path.Combine(root, ImagesIn(root)));
        }

        // Whole lines: a user's file names may hold spaces.
        List<string> ids = [.. InputFile.ReadLines(list, "the pictures of this part").Select(IdOf)];
        return ids.Find(id => !images.ContainsKey(id)) is { } missing
            ? throw new InputException($"{list}: picture '{missing}' not found, expected it in {Path.Combine(root, ImagesIn(root))}")
            : (ids, list);
    }

    private static bool IsVoc(string root) => !Directory.Exists(Path.Combine(root, "images")) && Directory.Exists(Path.Combine(root, VocLayout.Images));

    private static string ImagesIn(string root) => IsVoc(root) ? VocLayout.Images : "images";

    private static ClassList ReadClasses(string file)
    {
        var classes = ClassList.FromLabelFile(file);
        return classes.Count <= ClassList.MostInBytes
            ? classes
            : throw new InputException($"{file}: {classes.Count} class names, expected 1 to {ClassList.MostInBytes} for masks of 8 bits");
    }

    private static ZeroShotSplit ReadSplit(string root, ClassList classes)
    {
        string seenFile = Path.Combine(root, "seen.txt");
        string unseenFile = Path.Combine(root, "unseen.txt");
        int[]? seen = File.Exists(seenFile) ? classes.IndicesOf(InputFile.ReadLines(seenFile, ClassNames), seenFile) : null;
        int[]? unseen = File.Exists(unseenFile) ? classes.IndicesOf(InputFile.ReadLines(unseenFile, ClassNames), unseenFile) : null;
        var all = Enumerable.Range(0, classes.Count);
        return (seen, unseen) switch
        {
            (null, null) => ZeroShotSplit.AllSeen(classes.Count),
            (null, _) => new ZeroShotSplit(classes.Count, all.Except(unseen), unseen, unseenFile, classes),
            (_, null) => new ZeroShotSplit(classes.Count, seen, all.Except(seen), seenFile, classes),
            _ => new ZeroShotSplit(classes.Count, seen, unseen, $"{seenFile} and unseen.txt", classes),
        };
    }
}
