using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>The classes of a user's own data, what the numbers or colours of its masks mean, and which classes are seen.</summary>
internal sealed class FolderClasses
{
    private const string ClassNames = "names of classes";

    // How programs for labelling call what 0 stands for.
    private static readonly string[] NoClass = ["background", "unlabelled", "unlabeled", "void"];

    /// <summary>Reads what section data and the folder's files say.</summary>
    /// <exception cref="InputException">A file is missing or wrong, or two contradict each other.</exception>
    public FolderClasses(FolderLayout layout, LdvcConfig config)
    {
        DataConfig data = config.Data;
        string file = Path.Combine(layout.Root, "classes.txt"), valuesSource = $"{config.Place}data.values";
        Colours = data.Colors is null ? null : MaskColours.Read(data.Colors);
        IEnumerable<string>? meant = Colours?.Names
            ?? (data.Values.Length > 0 ? data.Values.Select(entry => entry.Value).DistinctBy(NameSpelling.Key) : null);
        (Classes, string source) = data.Classes.Length > 0
            ? (new ClassList(data.Classes, $"{config.Place}data.classes"), $"{config.Place}data.classes")
            : meant is null || File.Exists(file) ? (ClassList.FromLabelFile(file), file)
            : (new ClassList(meant, data.Colors ?? valuesSource), data.Colors ?? valuesSource);
        ListMarks.Refuse([.. (data.Classes.Length > 0 ? data.Classes : meant ?? []).Select(name => name.Trim())], source);
        RefuseShifted(layout, source, data.Values.Length > 0);
        bool reduced = layout.ZeroIsIgnored && Colours is null;
        if (reduced && Classes.Count == ClassList.Max)
        {
            throw new InputException(
                $"{source}: {Classes.Count} class names, expected 1 to {ClassList.Max - 1} for labels in which 0 and 65535 are no class");
        }

        Colours?.Resolve(Classes);
        Labels = data.Values.Length > 0 ? LabelTable.Of(data.Values, Classes, valuesSource)
            : reduced ? LabelTable.ReduceZero(Classes.Count)
            : LabelTable.Identity(Classes.Count);
        Split = ReadSplit(layout.Root, Classes);
    }

    /// <summary>The classes.</summary>
    public ClassList Classes { get; }

    /// <summary>Seen and unseen ones.</summary>
    public ZeroShotSplit Split { get; }

    /// <summary>What stored numbers mean.</summary>
    public LabelTable Labels { get; }

    /// <summary>What colours mean; null when masks hold numbers.</summary>
    public MaskColours? Colours { get; }

    // A list with a name for 0, in a layout in which 0 has none: every class would be the one before it.
    private void RefuseShifted(FolderLayout layout, string source, bool hasValues)
    {
        if (Colours is null && !hasValues && Classes[0] == ClassListReader.LabelMeIgnored)
        {
            throw new InputException(
                $"{source}: class 0 is {ConfigText.Quote(ClassListReader.LabelMeIgnored)}, which labelme counts as -1, so that every name would "
                    + "stand one too far down; expected the list without this line.");
        }

        if (layout.IsZeroByLayout && Colours is null
            && Classes.Classes[0].All.FirstOrDefault(name => NoClass.Contains(name.Trim('_'), StringComparer.OrdinalIgnoreCase)) is { } name)
        {
            throw new InputException(
                $"{source}: class 0 is {ConfigText.Quote(name)}, but with {VocLayout.Images} masks are read as PASCAL VOC's, where 0 is no label and "
                    + "1 the first class; expected data.zero_is_ignored: false (0 is this class), or true (it is class 1) or a list without it.");
        }
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
